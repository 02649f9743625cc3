//! A ConfigMap that the operator keeps for itself: where it is, and the requests that read and write it.
//!
//! What it holds is for others to say. Sends nothing.

use super::field_manager::{FIELD_MANAGER, post_params};
use http::Request as HttpRequest;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Resource;
use kube::api::{GetParams, ObjectMeta};
use kube::core::Request;
use std::collections::BTreeMap;

/// Which object it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMapRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ConfigMapRef {
    /// Reads it.
    ///
    /// # Errors
    /// When that is no request.
    pub fn get(&self) -> Result<HttpRequest<Vec<u8>>, String> {
        let get = self.requests().get(&self.name, &GetParams::default());
        get.map_err(|error| error.to_string())
    }

    /// Writes what it holds in place of this version; without one, creates it.
    ///
    /// # Errors
    /// When that is no request.
    pub fn put(&self, version: Option<String>, content: ConfigMap) -> Result<HttpRequest<Vec<u8>>, String> {
        let is_new = version.is_none();
        let object = ConfigMap {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                resource_version: version,
                labels: Some(BTreeMap::from([("app.kubernetes.io/managed-by".into(), FIELD_MANAGER.into())])),
                ..ObjectMeta::default()
            },
            ..content
        };
        let body = serde_json::to_vec(&object).map_err(|error| error.to_string())?;
        let (requests, params) = (self.requests(), post_params(false));
        let put = if is_new {
            requests.create(&params, body)
        } else {
            requests.replace(&self.name, &params, body)
        };
        put.map_err(|error| error.to_string())
    }

    fn requests(&self) -> Request {
        Request::new(ConfigMap::url_path(&(), Some(&self.namespace)))
    }
}
