//! Traces over OTLP, to receivers that decode it by its official definitions.

use crate::messages::{hasty_sink, message, sink};
use crate::receiver::{Receiver, status};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use punctual::notify::{Message, NotDelivered, Protocol, Secret, SinkKind, TraceEnv, What};
use std::sync::{Arc, Mutex};
use tonic::{Request, Response, Status};

fn to(protocol: Protocol, endpoint: String) -> SinkKind {
    SinkKind::Traces(TraceEnv {
        endpoint: Some(Secret::Text(endpoint)),
        protocol,
        certificate: None,
        is_named: false,
    })
}

/// A failed run that waited for 2 s and took 7.
fn failed() -> Message {
    let mut message = message(What::Failed, "report", 0);
    let run = message.run.as_mut().expect("a run");
    let after = |seconds| {
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
            run.slot.0 + jiff::SignedDuration::from_secs(seconds),
        ))
    };
    (run.started, run.finished) = (after(2), after(9));
    message
}

fn spans(requests: &[ExportTraceServiceRequest]) -> Vec<Span> {
    let scopes = requests
        .iter()
        .flat_map(|request| &request.resource_spans)
        .flat_map(|all| &all.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{other:?}"),
    }
}

fn is_a_trace_of_the_run(request: &ExportTraceServiceRequest) {
    let resource = request.resource_spans[0].resource.as_ref().unwrap();
    assert_eq!(text(&resource.attributes, "service.name").as_deref(), Some("punctual"));
    let spans = spans(std::slice::from_ref(request));
    let [slot, wait, job] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!([&*slot.name, &*wait.name, &*job.name], ["RUN report", "WAIT", "JOB report-0"]);
    assert!(spans.iter().all(|span| span.trace_id == slot.trace_id && span.trace_id.len() == 16));
    assert_eq!(
        (slot.parent_span_id.len(), &wait.parent_span_id, &job.parent_span_id),
        (0, &slot.span_id, &slot.span_id)
    );
    let seconds = |span: &Span| (span.end_time_unix_nano - span.start_time_unix_nano) / 1_000_000_000;
    assert_eq!([seconds(slot), seconds(wait), seconds(job)], [9, 2, 7]);
    assert_eq!(text(&slot.attributes, "cicd.pipeline.result").as_deref(), Some("failure"));
    assert_eq!(text(&slot.attributes, "k8s.namespace.name").as_deref(), Some("prod"));
    assert_eq!(text(&job.attributes, "k8s.job.name").as_deref(), Some("report-0"));
    assert_eq!(text(&job.attributes, "process.exit.code").as_deref(), Some("3"));
    let status = job.status.as_ref().unwrap();
    assert_eq!((status.code, &*status.message), (2, "JobFailed: disk full"));
}

#[tokio::test]
async fn a_run_is_a_trace_over_http_and_again_the_same() {
    let receiver = Receiver::start(|_| status(200)).await;
    let mut sink = sink(to(Protocol::Http, format!("http://127.0.0.1:{}/v1/traces", receiver.port)));
    sink.deliver(&[failed()]).await.unwrap();
    sink.deliver(&[failed()]).await.unwrap();
    let seen = receiver.seen();
    assert_eq!((seen[0].method.as_str(), &*seen[0].path), ("POST", "/v1/traces"));
    assert_eq!(seen[0].headers["content-type"], "application/x-protobuf");
    let requests: Vec<_> = seen
        .into_iter()
        .map(|seen| ExportTraceServiceRequest::decode(seen.body).unwrap())
        .collect();
    is_a_trace_of_the_run(&requests[0]);
    assert_eq!(spans(&requests[..1]), spans(&requests[1..]), "whoever leads");
}

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test]
async fn a_run_is_a_trace_over_grpc() {
    let collector = Collector::default();
    let incoming = tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = incoming.local_addr().unwrap().port();
    let service = TraceServiceServer::new(collector.clone());
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming),
    );
    sink(to(Protocol::Grpc, format!("http://127.0.0.1:{port}")))
        .deliver(&[failed()])
        .await
        .unwrap();
    is_a_trace_of_the_run(&collector.0.lock().unwrap()[0]);
}

/// What was skipped or missed is a span with its reason, and nothing waits for it.
#[tokio::test]
async fn a_slot_that_did_not_start_is_a_span_with_its_reason() {
    let receiver = Receiver::start(|_| status(200)).await;
    let mut sink = sink(to(Protocol::Http, format!("http://127.0.0.1:{}/v1/traces", receiver.port)));
    let mut skipped = message(What::Skipped, "report", 4);
    skipped.reason = "StillRunning".into();
    // An outcome of a task is none of a slot.
    let about_the_task = Message {
        run: None,
        ..message(What::Overdue, "report", 5)
    };
    sink.deliver(&[skipped, about_the_task]).await.unwrap();
    let request = ExportTraceServiceRequest::decode(receiver.seen().remove(0).body).unwrap();
    let all = spans(&[request]);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(text(&all[0].attributes, "punctual.reason").as_deref(), Some("StillRunning"));
    assert_eq!(all[0].start_time_unix_nano, all[0].end_time_unix_nano);
}

#[tokio::test]
async fn a_collector_that_refuses_or_hangs_or_is_away_is_told_without_its_address() {
    async fn error_of(protocol: Protocol, endpoint: String) -> NotDelivered {
        let error = hasty_sink(to(protocol, endpoint)).deliver(&[failed()]).await.unwrap_err();
        assert!(!error.message.contains("s3cret") && error.delivered == 0, "{error:?}");
        error
    }
    let busy = Receiver::start(|_| status(503)).await;
    let hangs = Receiver::start(|_| None).await;
    let url = |port| format!("http://user:s3cret@127.0.0.1:{port}/v1/traces?key=s3cret");
    assert!(!error_of(Protocol::Http, url(busy.port)).await.is_final);
    error_of(Protocol::Http, url(hangs.port)).await;
    error_of(Protocol::Http, url(1)).await;
    error_of(Protocol::Grpc, "http://127.0.0.1:1/s3cret".into()).await;
    error_of(Protocol::Grpc, url(hangs.port)).await;
}
