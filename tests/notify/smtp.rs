//! A real mail server, whose mailbox is read.

use crate::exim::Exim;
use crate::logs;
use crate::messages::{failures, hasty_sink, message, sink};
use punctual::notify::{Secret, SinkKind, Smtp, SmtpTls, What};
use std::fs;

fn smtp(port: u16, tls: SmtpTls, to: &str) -> Smtp {
    Smtp {
        server: "localhost".into(),
        port,
        tls,
        from: "Punctual <punctual@cluster.test>".into(),
        to: vec![to.into()],
        login: None,
        ca: None,
    }
}

fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let line = mail.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {mail}"))
}

#[tokio::test]
async fn a_delivery_is_one_mail_in_the_mailbox() {
    let Some(exim) = Exim::start(true).await else { return };
    let mut sink = sink(SinkKind::Smtp(smtp(exim.port, SmtpTls::None, "ops@open.test")));
    assert!(sink.groups());
    let mut evil = message(What::Failed, "report", 0);
    evil.text = "last words\r\nBcc: everybody@open.test\u{1b}[2J\n.\nQUIT".into();
    sink.deliver(std::slice::from_ref(&evil)).await.unwrap();
    sink.deliver(&[evil]).await.unwrap();
    sink.deliver(&failures(1000)).await.unwrap();
    let mails = exim.mails(3).await;
    let subjects: Vec<&str> = mails.iter().map(|mail| header(mail, "Subject")).collect();
    let subject = "[punctual] prod/report failed";
    assert_eq!(subjects, [subject, subject, "[punctual] 1000 failures for prod/report"]);
    let ids: Vec<&str> = mails.iter().map(|mail| header(mail, "Message-ID")).collect();
    assert!(
        ids[0] == ids[1] && ids[0] != ids[2] && ids[0].ends_with(".1@cluster.test>"),
        "{ids:?}"
    );
    let mail = mails[0].as_str();
    assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(mail, "From"), "Punctual <punctual@cluster.test>");
    let line = "prod/report: run of 2026-11-26T02:00:00Z failed with exit code 3 (JobFailed): last words  Bcc: everybody@open.test\\u{1b}[2J . QUIT";
    // Long lines are folded on the way.
    let unfolded = mail.replace("=\n", "").replace("=3D", "=");
    assert!(unfolded.contains(line), "{mail}");
    assert!(mail.contains("    kubectl logs --namespace prod job/report-0"), "{mail}");
    assert!(!mail.lines().any(|line| line.starts_with("Bcc:")));
}

#[tokio::test]
async fn tls_needs_the_authority() {
    let Some(exim) = Exim::start(true).await else { return };
    for (tls, port) in [(SmtpTls::StartTls, exim.port), (SmtpTls::Tls, exim.tls_port)] {
        let mut config = smtp(port, tls, "ops@open.test");
        let error = sink(SinkKind::Smtp(config.clone())).deliver(&failures(1)).await.unwrap_err();
        assert!(error.message.contains("UnknownIssuer: set caFile"), "{error:?}");
        config.ca = Some(exim.ca());
        sink(SinkKind::Smtp(config)).deliver(&failures(1)).await.unwrap();
    }
    assert_eq!(exim.mails(2).await.len(), 2);
}

#[tokio::test]
async fn no_mail_is_sent_unless_tls_is_offered() {
    let Some(exim) = Exim::start(false).await else { return };
    let mut config = smtp(exim.port, SmtpTls::StartTls, "ops@open.test");
    config.ca = Some(exim.ca());
    let error = sink(SinkKind::Smtp(config)).deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.contains("set tls: tls, or tls: none"), "{error:?}");
}

#[tokio::test]
async fn a_login_is_read_from_files_and_stays_secret() {
    logs::capture();
    let Some(exim) = Exim::start(true).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let mut config = smtp(exim.port, SmtpTls::StartTls, "ops@closed.test");
    config.ca = Some(exim.ca());
    let error = sink(SinkKind::Smtp(config.clone())).deliver(&failures(1)).await.unwrap_err();
    assert!(
        error.message.contains("answered 550") && error.message.contains("log in first"),
        "{error:?}"
    );
    config.login = Some((Secret::Text("punctual".into()), Secret::File(file.clone())));
    let mut sink = sink(SinkKind::Smtp(config));
    fs::write(&file, "mail-s3cret\n").unwrap();
    let error = sink.deliver(&failures(1)).await.unwrap_err();
    assert!(
        error.message.contains("535") && error.message.ends_with("check usernameFile and passwordFile"),
        "{error:?}"
    );
    assert!(
        !error.is_final && !format!("{error:?} {sink:?}").contains("mail-s3cret"),
        "{error:?}"
    );
    fs::write(&file, "mail-r1ght\n").unwrap();
    sink.deliver(&failures(1)).await.unwrap();
    assert_eq!(exim.mails(1).await.len(), 1);
    // The last one is the first one as it is sent.
    for secret in ["mail-s3cret", "mail-r1ght", "AHB1bmN0dWFsAG1haWwtczNjcmV"] {
        logs::hold_no(secret);
    }
}

#[tokio::test]
async fn mail_that_is_refused_or_not_taken_is_sent_later() {
    let Some(mut exim) = Exim::start(true).await else { return };
    let mut sink = sink(SinkKind::Smtp(smtp(exim.port, SmtpTls::None, "ops@open.test")));
    exim.refuse(true);
    let error = sink.deliver(&failures(1)).await.unwrap_err();
    assert!(
        error.message.contains("answered 550") && error.message.contains("mailbox of ops is closed"),
        "{error:?}"
    );
    assert_eq!((error.delivered, error.is_final), (0, false));
    exim.refuse(false);
    exim.kill();
    let error = sink.deliver(&failures(1)).await.unwrap_err();
    assert!(
        error.message.starts_with(&format!("localhost:{}: Connection refused", exim.port)),
        "{error:?}"
    );
    exim.start_again().await;
    sink.deliver(&failures(1)).await.unwrap();
    assert_eq!(exim.mails(1).await.len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_says_nothing_costs_a_bounded_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut sink = hasty_sink(SinkKind::Smtp(smtp(port, SmtpTls::None, "ops@open.test")));
    let error = sink.deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.ends_with("in time"), "{error:?}");
    let mut config = smtp(port, SmtpTls::None, "nobody");
    let error = crate::messages::sink(SinkKind::Smtp(config.clone()))
        .deliver(&failures(1))
        .await
        .unwrap_err();
    assert!(error.message.starts_with("to: \"nobody\" is not a mail address"), "{error:?}");
    config.from = "a\r\nb".into();
    let error = crate::messages::sink(SinkKind::Smtp(config))
        .deliver(&failures(1))
        .await
        .unwrap_err();
    assert!(error.message.starts_with("from: "), "{error:?}");
}
