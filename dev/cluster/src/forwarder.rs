//! The way of pods to the API server. Takes the address that pods know and a port on loopback, carries bytes between
//! them, never listens anywhere else: not on the machine's own addresses, where the network could reach it.
//!
//! The address is there only while a pod is (each pod's cable has it at the machine's end), so it is bound without being
//! there yet. TLS passes untouched: whoever connects talks to the API server itself.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::Context;
use socket2::{Domain, SockRef, Socket, Type};

use crate::Result;

/// The port of the service `kubernetes`.
const PORT: u16 = 443;

/// Forwards as long as it lives.
pub(crate) struct Forwarder {
    listener: Socket,
}

impl Forwarder {
    /// Forwards `address`:443 to 127.0.0.1:`to`.
    pub fn start(address: Ipv4Addr, to: u16) -> Result<Forwarder> {
        let at = SocketAddr::from((address, PORT));
        let listener = listen(at).with_context(|| format!("cannot listen on {at} for pods that talk to the API server"))?;
        let accepting: TcpListener = listener.try_clone()?.into();
        thread::Builder::new()
            .name("forwarder".into())
            .spawn(move || accept(&accepting, to))?;
        Ok(Forwarder { listener })
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        // Wakes the thread that waits in accept. Connections end with the pods, or with the API server.
        let _ = self.listener.shutdown(Shutdown::Both);
    }
}

fn listen(at: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_freebind_v4(true)?;
    socket.bind(&at.into())?;
    socket.listen(128)?;
    Ok(socket)
}

fn accept(listener: &TcpListener, to: u16) {
    while let Ok((pod, _)) = listener.accept() {
        // A pod's connection that cannot be served is closed: that is what a dead API server looks like.
        let _ = thread::Builder::new().name("forward".into()).spawn(move || forward(&pod, to));
    }
}

fn forward(pod: &TcpStream, to: u16) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
    // A pod that is gone without a word must not hold a connection for ever.
    SockRef::from(pod).set_keepalive(true)?;
    pod.set_nodelay(true)?;
    server.set_nodelay(true)?;
    thread::scope(|scope| {
        scope.spawn(|| carry(pod, &server));
        carry(&server, pod);
    });
    Ok(())
}

/// All bytes of one direction, and its end. A direction that breaks ends both: half a connection serves nobody.
fn carry(mut from: &TcpStream, mut to: &TcpStream) {
    match io::copy(&mut from, &mut to) {
        Ok(_) => {
            let _ = to.shutdown(Shutdown::Write);
        }
        Err(_) => {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn what_goes_in_comes_out_and_so_does_the_end() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to = server.local_addr().unwrap().port();
        let entrance = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = entrance.local_addr().unwrap();
        thread::spawn(move || accept(&entrance, to));
        let mut pod = TcpStream::connect(at).unwrap();
        let (mut behind, _) = server.accept().unwrap();
        pod.write_all(b"question").unwrap();
        pod.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        behind.read_to_string(&mut heard).unwrap();
        behind.write_all(b"answer").unwrap();
        drop(behind);
        let mut answer = String::new();
        pod.read_to_string(&mut answer).unwrap();
        assert_eq!((heard.as_str(), answer.as_str()), ("question", "answer"));
    }

    #[test]
    fn an_address_that_is_not_there_yet_can_be_listened_on() {
        let listener = listen(SocketAddr::from((Ipv4Addr::new(198, 19, 255, 254), 0))).unwrap();
        assert!(
            listener
                .local_addr()
                .unwrap()
                .as_socket()
                .unwrap()
                .ip()
                .to_string()
                .starts_with("198.19.")
        );
    }
}
