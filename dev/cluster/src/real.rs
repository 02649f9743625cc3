use crate::{Image, Result, plane::Site};
pub(crate) struct RealNode;
impl RealNode {
    pub fn obstacle() -> Option<String> {
        Some("not yet written".into())
    }
    pub fn start(_: &Site, _: &str) -> Result<RealNode> {
        anyhow::bail!("not yet written")
    }
    pub fn import(&self, _: &Image) -> Result<()> {
        Ok(())
    }
    pub fn import_archive(&self, _: &std::path::Path) -> Result<()> {
        Ok(())
    }
}
