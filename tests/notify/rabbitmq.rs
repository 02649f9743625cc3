//! A real RabbitMQ, from Debian's packages. Its data is in a folder that goes with it, and it ends with the test.
//!
//! Nothing of it is shared with a broker of the machine: it has its own Erlang, its own port mapper, and listens on loopback only.

use crate::authority::Authority;
use crate::{free_port, packages, until_open};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The server, and the parts of Erlang that it asks for.
const PACKAGES: &[&str] = &[
    "rabbitmq-server",
    "erlang-asn1",
    "erlang-base",
    "erlang-crypto",
    "erlang-eldap",
    "erlang-inets",
    "erlang-mnesia",
    "erlang-os-mon",
    "erlang-parsetools",
    "erlang-public-key",
    "erlang-runtime-tools",
    "erlang-ssl",
    "erlang-syntax-tools",
    "erlang-tools",
    "erlang-xmerl",
];

pub struct RabbitMq {
    packages: PathBuf,
    folder: TempDir,
    authority: Authority,
    mapper: Child,
    mapper_port: u16,
    server: Child,
    port: u16,
    tls_port: u16,
}

impl RabbitMq {
    /// A broker that is ready, if it can be had.
    pub async fn start() -> Option<RabbitMq> {
        let packages = tokio::task::spawn_blocking(|| packages("rabbitmq", PACKAGES))
            .await
            .expect("unpacked")?;
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new();
        let (port, tls_port, mapper_port) = (free_port(), free_port(), free_port());
        let path = |name| authority.file(name).display().to_string();
        let config = format!(
            "listeners.tcp.1 = 127.0.0.1:{port}\nlisteners.ssl.1 = 127.0.0.1:{tls_port}\nssl_options.cacertfile = {}\n\
             ssl_options.certfile = {}\nssl_options.keyfile = {}\nssl_options.verify = verify_none\n\
             default_user = punctual\ndefault_pass = r1ght\n",
            path("ca.pem"),
            path("cert.pem"),
            path("key.pem"),
        );
        fs::write(folder.path().join("rabbitmq.conf"), config).expect("a file");
        // Debian's `erl` looks for itself where it would be installed.
        let runtime = runtime(&packages);
        let root = packages.join("usr/lib/erlang");
        let erl = format!(
            "#!/bin/sh\nexport ROOTDIR={} BINDIR={} EMU=beam PROGNAME=erl\nexec \"$BINDIR/erlexec\" \"$@\"\n",
            root.display(),
            runtime.display()
        );
        fs::write(folder.path().join("erl"), erl).expect("a file");
        fs::set_permissions(folder.path().join("erl"), fs::Permissions::from_mode(0o755)).expect("executable");
        let mapper = Command::new(runtime.join("epmd"))
            .args(["-address", "127.0.0.1", "-port", &mapper_port.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .expect("the port mapper starts");
        assert!(until_open(mapper_port).await, "the port mapper listens");
        let server = serve(&packages, folder.path(), mapper_port);
        let broker = RabbitMq {
            packages,
            folder,
            authority,
            mapper,
            mapper_port,
            server,
            port,
            tls_port,
        };
        broker.until_ready().await;
        Some(broker)
    }

    async fn until_ready(&self) {
        assert!(until_open(self.port).await && until_open(self.tls_port).await, "{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap_or_default()
    }

    pub fn url(&self) -> String {
        format!("amqp://punctual:r1ght@127.0.0.1:{}/%2f", self.port)
    }

    pub fn tls_url(&self) -> String {
        format!("amqps://punctual:r1ght@localhost:{}/%2f", self.tls_port)
    }

    pub fn ca(&self) -> PathBuf {
        self.authority.file("ca.pem")
    }

    /// As a machine that loses power.
    pub fn kill(&mut self) {
        self.server.kill().expect("it can be killed");
        self.server.wait().expect("it ends");
    }

    /// After it was killed.
    pub async fn start_again(&mut self) {
        self.server = serve(&self.packages, self.folder.path(), self.mapper_port);
        self.until_ready().await;
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        for child in [&mut self.server, &mut self.mapper] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The folder of Erlang's programs, which has its version in its name.
fn runtime(packages: &Path) -> PathBuf {
    let entries = fs::read_dir(packages.join("usr/lib/erlang")).expect("Erlang");
    let mut folders = entries.map(|entry| entry.expect("an entry").path());
    let runtime = folders.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("erts-")));
    runtime.expect("a runtime").join("bin")
}

fn serve(packages: &Path, folder: &Path, mapper_port: u16) -> Child {
    let libraries = packages.join("usr/lib/rabbitmq/lib");
    let mut versions = fs::read_dir(libraries).expect("RabbitMQ");
    let home = versions.next().expect("a version").expect("an entry").path();
    let output = File::create(folder.join("output")).expect("a log");
    Command::new(home.join("sbin/rabbitmq-server"))
        .env_clear()
        .env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", folder.display()))
        .env("HOME", folder)
        .env("ERL_EPMD_PORT", mapper_port.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODENAME", "punctual@localhost")
        .env("RABBITMQ_DIST_PORT", free_port().to_string())
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
        .env("RABBITMQ_CONF_ENV_FILE", folder.join("none"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
        .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_PID_FILE", folder.join("pid"))
        // Without a script in between that would outlive its child.
        .env("RABBITMQ_ALLOW_INPUT", "1")
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-noinput -kernel inet_dist_use_interface {127,0,0,1}",
        )
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a log"))
        .stderr(output)
        .spawn()
        .expect("RabbitMQ starts")
}
