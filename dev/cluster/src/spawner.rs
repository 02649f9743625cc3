//! Starts children that die with this process. Takes a command, gives the child, never lets one outlive the process,
//! not even one that was killed: the kernel ties "parent died" to the thread that forked, so one thread, which lives
//! as long as the process, does all the forking.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};

use anyhow::{Context, anyhow};

use crate::Result;

type Answer = std::io::Result<Child>;

type Orders = Sender<(Command, Sender<Answer>)>;

static THREAD: OnceLock<Mutex<Orders>> = OnceLock::new();

/// Starts `command` in a process group of its own, to be killed by the kernel when this process ends.
pub(crate) fn spawn(mut command: Command) -> Result<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    let parent = libc::pid_t::try_from(std::process::id()).context("a process id is a pid_t")?;
    command.process_group(0);
    // SAFETY: between fork and exec only async-signal-safe calls are made, on values made before the fork.
    unsafe { command.pre_exec(move || die_with(parent)) };
    let (answer, child) = channel();
    let thread = THREAD.get_or_init(|| Mutex::new(start_thread()));
    thread
        .lock()
        .map_err(|_| anyhow!("the thread that starts processes is gone"))?
        .send((command, answer))
        .context("the thread that starts processes is gone")?;
    child
        .recv()
        .context("the thread that starts processes is gone")?
        .with_context(|| format!("cannot start {program}"))
}

fn start_thread() -> Orders {
    let (orders, inbox) = channel::<(Command, Sender<Answer>)>();
    std::thread::Builder::new()
        .name("spawner".into())
        .spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        })
        .expect("a thread can be started");
    orders
}

fn die_with(parent: libc::pid_t) -> std::io::Result<()> {
    // SAFETY: plain system calls on local values; the set is initialised before use.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        if libc::getppid() != parent {
            return Err(std::io::Error::from_raw_os_error(libc::ESRCH)); // it died before the line above
        }
    }
    Ok(())
}
