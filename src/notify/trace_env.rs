//! Whether slots are traced, and how, as the standard environment variables of OpenTelemetry say:
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.
//!
//! Variables go in; what was chosen comes out, or which variable is wrong. No value is named: headers hold credentials.

use super::secret::Secret;
use std::path::PathBuf;

/// How spans are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP, as protobuf.
    Http,
}

/// That slots are traced. Headers the exporter reads by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEnv {
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_EXPORTER_OTLP_ENDPOINT` with the path of traces; the exporter's default without.
    pub endpoint: Option<Secret>,
    /// `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL` or `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub protocol: Protocol,
    /// `OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE` or `OTEL_EXPORTER_OTLP_CERTIFICATE`: who is trusted instead of the public authorities.
    pub certificate: Option<PathBuf>,
    /// The environment names the service.
    pub is_named: bool,
}

impl TraceEnv {
    /// What the environment says; nothing, if slots are not traced: they are if it names an endpoint, unless it says otherwise.
    ///
    /// # Errors
    /// Which variable is wrong, and what it may be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let of_traces = |rest: &str| {
            let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{rest}"), format!("OTEL_EXPORTER_OTLP_{rest}")];
            names.into_iter().find_map(|name| variable(&name).map(|value| (name, value)))
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let found = of_traces("ENDPOINT");
        match variable("OTEL_TRACES_EXPORTER").as_deref() {
            Some("none") => return Ok(None),
            Some("otlp") => {}
            Some(_) => return Err("OTEL_TRACES_EXPORTER: must be otlp or none".into()),
            None if found.is_none() => return Ok(None),
            None => {}
        }
        if let Some((name, url)) = &found
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            return Err(format!("{name}: must begin with http:// or https://"));
        }
        let protocol = match of_traces("PROTOCOL") {
            None => Protocol::Http,
            Some((_, value)) if value == "http/protobuf" => Protocol::Http,
            Some((_, value)) if value == "grpc" => Protocol::Grpc,
            Some((name, _)) => return Err(format!("{name}: must be grpc or http/protobuf")),
        };
        let endpoint = found.map(|(name, url)| match protocol {
            // The variable of all signals names the root.
            Protocol::Http if !name.contains("TRACES") => format!("{}/v1/traces", url.trim_end_matches('/')),
            _ => url,
        });
        let names_service = |all: String| all.split(',').any(|pair| pair.trim().starts_with("service.name="));
        Ok(Some(Self {
            endpoint: endpoint.map(Secret::Text),
            protocol,
            certificate: of_traces("CERTIFICATE").map(|(_, path)| path.into()),
            is_named: variable("OTEL_SERVICE_NAME").is_some() || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(names_service),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<TraceEnv>, String> {
        TraceEnv::read(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn slots_are_traced_where_an_endpoint_is_named() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let traced = TraceEnv {
            endpoint: Some(Secret::Text("http://collector:4318/v1/traces".into())),
            protocol: Protocol::Http,
            certificate: None,
            is_named: false,
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), Ok(None));
        assert_eq!(read(&[endpoint]), Ok(Some(traced.clone())));
        let default = TraceEnv { endpoint: None, ..traced };
        assert_eq!(read(&[("OTEL_TRACES_EXPORTER", "otlp")]), Ok(Some(default)));
        assert_eq!(read(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]), Ok(None));
        assert_eq!(read(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        let all = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.crt"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=b, service.name=x"),
        ];
        let expected = TraceEnv {
            endpoint: Some(Secret::Text("https://collector:4317".into())),
            protocol: Protocol::Grpc,
            certificate: Some("/ca.crt".into()),
            is_named: true,
        };
        assert_eq!(read(&all), Ok(Some(expected)));
    }

    #[test]
    fn a_wrong_variable_is_named_and_its_value_is_not() {
        for (variable, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "secret"),
            ("OTEL_TRACES_EXPORTER", "secret"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "secret"),
        ] {
            let wrong = read(&[(variable, value), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://x")]);
            let wrong = if variable.ends_with("ENDPOINT") {
                read(&[(variable, value)])
            } else {
                wrong
            };
            let error = wrong.unwrap_err();
            assert!(error.starts_with(variable) && !error.contains("secret"), "{error}");
        }
    }
}
