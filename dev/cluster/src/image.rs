pub struct Image;
pub const BUSYBOX_IMAGE: &str = "punctual.dev/busybox:local";
