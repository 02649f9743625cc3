//! A real mail server, Exim from Debian's packages, that puts all mail into one mailbox. It ends with the test.
//!
//! It needs a user named `Debian-exim`, which a machine without the package lacks: a library of Samba's (`nss_wrapper`) shows it one.

use crate::authority::Authority;
use crate::{PATIENCE, free_port, packages, until_open};
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PACKAGES: &[&str] = &[
    "exim4-daemon-light",
    "libgnutls-dane0",
    "libidn12",
    "libnsl2",
    "libnss-wrapper",
    "libunbound8",
];
/// The user as whom mail is delivered, if the test is run by root: Exim never delivers as root.
const NOBODY: u32 = 65534;

pub struct Exim {
    packages: PathBuf,
    folder: TempDir,
    authority: Authority,
    server: Child,
    /// Plain, with `STARTTLS`.
    pub port: u16,
    /// TLS from the first byte.
    pub tls_port: u16,
}

impl Exim {
    /// A mail server that is ready, if it can be had. `starttls` says whether it offers it.
    pub async fn start(starttls: bool) -> Option<Exim> {
        let packages = tokio::task::spawn_blocking(|| packages("exim", PACKAGES))
            .await
            .expect("unpacked")?;
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new();
        let (port, tls_port) = (free_port(), free_port());
        let root = folder.path();
        let user = fs::metadata(root).expect("a folder").uid();
        let user = if user == 0 { NOBODY } else { user };
        let write = |name: &str, text: String| fs::write(root.join(name), text).expect("a file");
        write(
            "passwd",
            format!("root:x:0:0::/:/bin/sh\nDebian-exim:x:{user}:{user}::/:/bin/false\n"),
        );
        write("group", format!("root:x:0:\nmail:x:8:\nDebian-exim:x:{user}:\n"));
        for name in ["cert.pem", "key.pem"] {
            fs::copy(authority.file(name), root.join(name)).expect("a copy");
            let _ = chown(root.join(name), Some(user), Some(user));
        }
        write(
            "config",
            config(
                &root.display().to_string(),
                &packages.display().to_string(),
                [port, tls_port],
                starttls,
            ),
        );
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).expect("open to the user");
        let _ = chown(root, Some(user), Some(user));
        let server = serve(&packages, &folder);
        let exim = Exim {
            packages,
            folder,
            authority,
            server,
            port,
            tls_port,
        };
        exim.until_ready().await;
        Some(exim)
    }

    async fn until_ready(&self) {
        assert!(until_open(self.port).await && until_open(self.tls_port).await, "{}", self.log());
    }

    fn log(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("output") + &read("mainlog") + &read("paniclog")
    }

    pub fn ca(&self) -> PathBuf {
        self.authority.file("ca.pem")
    }

    /// Whether it refuses all mail for good.
    pub fn refuse(&self, all: bool) {
        let switch = self.folder.path().join("refuse");
        if all {
            File::create(switch).expect("a file");
        } else {
            fs::remove_file(switch).expect("the file");
        }
    }

    pub fn kill(&mut self) {
        self.server.kill().expect("it can be killed");
        self.server.wait().expect("it ends");
    }

    /// After it was killed.
    pub async fn start_again(&mut self) {
        self.server = serve(&self.packages, &self.folder);
        self.until_ready().await;
    }

    /// The mails in the mailbox, once there are so many.
    pub async fn mails(&self, count: usize) -> Vec<String> {
        let mailbox = || fs::read_to_string(self.folder.path().join("mailbox")).unwrap_or_default();
        let split = |text: String| -> Vec<String> { text.split("From punctual@").skip(1).map(str::to_owned).collect() };
        let arrived = async {
            while split(mailbox()).len() < count {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, arrived).await.is_ok(),
            "{}\n{}",
            mailbox(),
            self.log()
        );
        split(mailbox())
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn config(root: &str, packages: &str, [port, tls_port]: [u16; 2], starttls: bool) -> String {
    let advertise = if starttls { "*" } else { "" };
    format!(
        r#"
exim_path = {packages}/usr/sbin/exim4
primary_hostname = mail.test
spool_directory = {root}/spool
log_file_path = {root}/%slog
pid_file_path = {root}/pid
keep_environment = *
deliver_drop_privilege = true
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
tls_advertise_hosts = {advertise}
tls_certificate = {root}/cert.pem
tls_privatekey = {root}/key.pem
acl_smtp_rcpt = recipient
begin acl
recipient:
  deny condition = ${{if exists{{{root}/refuse}}}}
       message = mailbox of $local_part is closed
  accept domains = open.test
  accept authenticated = *
  deny message = log in first
begin routers
all:
  driver = accept
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  file = {root}/mailbox
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{punctual}}}}{{eq{{$auth3}}{{mail-r1ght}}}}}}}}
  server_set_id = $auth2
"#
    )
}

fn serve(packages: &std::path::Path, folder: &TempDir) -> Child {
    let root = folder.path();
    let libraries = packages.join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    let output = File::create(root.join("output")).expect("a log");
    Command::new(packages.join("usr/sbin/exim4"))
        .args(["-bdf", "-C"])
        .arg(root.join("config"))
        .env("LD_LIBRARY_PATH", &libraries)
        .env("LD_PRELOAD", libraries.join("libnss_wrapper.so"))
        .env("NSS_WRAPPER_PASSWD", root.join("passwd"))
        .env("NSS_WRAPPER_GROUP", root.join("group"))
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a log"))
        .stderr(output)
        .spawn()
        .expect("Exim starts")
}
