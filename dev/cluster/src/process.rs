//! One part of a cluster as a process that can be stopped, killed, paused and started again. Takes how to start it and
//! how to see that it is ready, gives control over it, never leaves it running when dropped.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use crate::Result;
use crate::logtail::tail;
use crate::spawner;

/// Says whether a part answers; the text says what is not there yet.
pub(crate) type Probe = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// How long a part may take to get ready, and to stop. Generous: machines are slow, and a hang is an error all the same.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process of the cluster: etcd, the API server, the controller manager…
pub struct Component {
    name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    probe: Probe,
    child: Mutex<Option<Child>>,
}

impl Component {
    pub(crate) fn new(name: &'static str, program: PathBuf, args: Vec<String>, logs: &Path, probe: Probe) -> Component {
        let log = logs.join(format!("{name}.log"));
        Component {
            name,
            program,
            args,
            log,
            probe,
            child: Mutex::new(None),
        }
    }

    /// `etcd`, `kube-apiserver`, …
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it wrote to stdout and stderr, of all its starts.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        let mut child = self.lock();
        match child.as_mut().map(Child::try_wait) {
            Some(Ok(None)) => child.as_ref().map(Child::id),
            _ => None,
        }
    }

    /// Starts it, with the same ports and data as before, and waits until it is ready.
    pub fn start(&self) -> Result<()> {
        self.launch()?;
        self.wait_ready()
    }

    /// Starts it without waiting.
    pub fn launch(&self) -> Result<()> {
        if self.pid().is_some() {
            bail!("{} runs already", self.name);
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        *self.lock() = Some(spawner::spawn(command)?);
        Ok(())
    }

    /// Waits until it is ready, by asking it. An error has the end of its log.
    pub fn wait_ready(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.ended()? {
                bail!("{} ended ({status}) before it was ready; {}", self.name, self.log_tail());
            }
            let Err(missing) = (self.probe)() else { return Ok(()) };
            if Instant::now() > deadline {
                bail!(
                    "{} is not ready after {} s: {missing}; {}",
                    self.name,
                    PATIENCE.as_secs(),
                    self.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub fn stop(&self) -> Result<()> {
        self.signal(libc::SIGTERM)?;
        self.signal(libc::SIGCONT)?; // a paused one hears nothing else
        let deadline = Instant::now() + PATIENCE;
        while self.ended()?.is_none() {
            if Instant::now() > deadline {
                self.kill()?;
                bail!(
                    "{} did not stop in {} s and was killed; {}",
                    self.name,
                    PATIENCE.as_secs(),
                    self.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        *self.lock() = None;
        Ok(())
    }

    /// Kills it (SIGKILL). One that does not run is fine.
    pub fn kill(&self) -> Result<()> {
        if let Some(mut child) = self.lock().take() {
            child.kill().with_context(|| format!("cannot kill {}", self.name))?;
            child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        }
        Ok(())
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing is answered.
    pub fn pause(&self) -> Result<()> {
        self.signal(libc::SIGSTOP)
    }

    /// Lets a paused one go on.
    pub fn resume(&self) -> Result<()> {
        self.signal(libc::SIGCONT)
    }

    fn signal(&self, signal: libc::c_int) -> Result<()> {
        let pid = self.pid().ok_or_else(|| anyhow!("{} does not run", self.name))?;
        let pid = libc::pid_t::try_from(pid).context("a process id is a pid_t")?;
        // SAFETY: the child is ours and not yet waited for, so the id is still its own.
        match unsafe { libc::kill(pid, signal) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()).with_context(|| format!("cannot signal {}", self.name)),
        }
    }

    fn ended(&self) -> Result<Option<ExitStatus>> {
        match self.lock().as_mut() {
            Some(child) => Ok(child.try_wait()?),
            None => Ok(Some(ExitStatus::from_raw(0))),
        }
    }

    pub(crate) fn log_tail(&self) -> String {
        format!("the end of {}:\n{}", self.log.display(), tail(&self.log, 15))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
