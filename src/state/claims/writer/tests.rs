//! The writer against a server in memory: each fault by itself, and many of them at random.

use super::super::request::LogReply;
use super::*;
use crate::api::Trigger;
use jiff::Timestamp;
use serde_json::json;

/// The object as the API server keeps it.
#[derive(Clone, Debug, Default)]
struct Server {
    version: u64,
    text: Option<String>,
    writes: usize,
    bytes: usize,
}

impl Server {
    fn answer(&mut self, request: &LogRequest) -> LogAnswer {
        let (version, text) = match request {
            LogRequest::Read => (None, None),
            LogRequest::Create { text } => (None, Some(text)),
            LogRequest::Replace { version, text } => (Some(version.clone()), Some(text)),
        };
        match (text, &self.text, version) {
            (None, None, _) | (Some(_), None, Some(_)) => return Err(Failure::NotFound("no log".into())),
            (None, Some(_), _) => {}
            (Some(_), Some(_), None) => return Err(Failure::Conflict("it exists".into())),
            (Some(_), Some(_), Some(version)) if version != self.version.to_string() => {
                return Err(Failure::Conflict("the object has been modified".into()));
            }
            (Some(text), _, _) => self.set(Some(text.clone())),
        }
        Ok(LogReply {
            version: self.version.to_string(),
            text: self.text.clone().unwrap_or_default(),
        })
    }

    fn set(&mut self, text: Option<String>) {
        self.version += 1;
        self.writes += 1;
        self.bytes += text.as_ref().map_or(0, String::len);
        self.text = text;
    }

    fn log(&self) -> ClaimsLog {
        ClaimsLog::decode(self.text.as_deref().unwrap_or_default()).0
    }

    fn jobs(&self) -> Vec<String> {
        self.log().claims.into_iter().map(|(_, claim)| claim.job).collect()
    }
}

fn claim(second: i64) -> Claim {
    Claim {
        slot: Timestamp::from_second(second).unwrap(),
        trigger: Trigger::Schedule,
        attempt: 1,
        job: format!("job-{second}"),
    }
}

/// Sends what the writer asks for until it asks for nothing.
fn settle(writer: &mut Writer, server: &mut Server) -> Vec<WriterNotice> {
    let mut notices = Vec::new();
    while let Some(request) = writer.next_request(true) {
        notices.extend(writer.answered(server.answer(&request)));
    }
    notices
}

fn opened(holder: &str, server: &mut Server) -> Writer {
    let mut writer = Writer::new(holder);
    writer.open();
    settle(&mut writer, server);
    assert!(writer.is_open(), "{holder} holds the log");
    writer
}

fn commit(writer: &mut Writer, server: &mut Server, task: &str, second: i64) -> Result<(), Failure> {
    let ticket = writer.commit(task, vec![claim(second)]);
    settle(writer, server);
    let done = writer.done().into_iter().find(|(known, _)| *known == ticket);
    done.expect("every claim is answered").1
}

fn unsettled() -> ScheduledTaskStatus {
    ScheduledTaskStatus::default()
}

#[test]
fn claims_of_many_tasks_are_one_write() {
    let server = &mut Server::default();
    let mut writer = opened("a", server);
    let before = server.writes;
    for second in 0..500 {
        writer.commit(&format!("task-{second}"), vec![claim(second)]);
    }
    settle(&mut writer, server);
    assert_eq!((server.writes - before, server.jobs().len()), (1, 500));
    assert_eq!(writer.done().iter().filter(|(_, done)| done.is_ok()).count(), 500);
}

#[test]
fn who_begins_to_lead_fences_the_former_leader() {
    let server = &mut Server::default();
    let mut a = opened("a", server);
    commit(&mut a, server, "t", 1).unwrap();
    let mut b = opened("b", server);
    assert_eq!(
        b.of("t", &unsettled()),
        [claim(1)],
        "what is in the log is carried out by whoever leads"
    );
    assert!(commit(&mut a, server, "t", 2).is_err());
    assert!(!a.is_open() && server.jobs() == ["job-1"]);
    commit(&mut b, server, "t", 2).unwrap();
    a.open();
    settle(&mut a, server);
    assert_eq!(a.of("t", &unsettled()), [claim(1), claim(2)]);
}

#[test]
fn a_lost_answer_is_read_back() {
    for arrives in [true, false] {
        let server = &mut Server::default();
        let mut writer = opened("a", server);
        let ticket = writer.commit("t", vec![claim(1)]);
        let request = writer.next_request(true).unwrap();
        if arrives {
            server.answer(&request).unwrap();
        }
        writer.answered(Err(Failure::Unanswered("timeout".into())));
        assert!(writer.done().is_empty(), "nobody knows yet");
        settle(&mut writer, server);
        let (_, done) = writer.done().into_iter().find(|(known, _)| *known == ticket).unwrap();
        assert_eq!(
            (done.is_ok(), server.jobs().len()),
            (arrives, usize::from(arrives)),
            "it is decided again"
        );
        if !arrives {
            assert!(server.answer(&request).is_err(), "the write that comes late changes nothing");
        }
    }
}

#[test]
fn a_write_that_arrives_late_is_carried_out() {
    let server = &mut Server::default();
    let mut writer = opened("a", server);
    let ticket = writer.commit("t", vec![claim(1)]);
    let late = writer.next_request(true).unwrap();
    writer.answered(Err(Failure::Unanswered("timeout".into())));
    let read = server.answer(&writer.next_request(true).unwrap());
    writer.answered(read);
    assert!(matches!(writer.done()[..], [(done, Err(Failure::Unanswered(_)))] if done == ticket));
    server.answer(&late).unwrap();
    commit(&mut writer, server, "u", 2).unwrap();
    assert_eq!((server.jobs().len(), writer.of("t", &unsettled())), (2, vec![claim(1)]));
}

#[test]
fn a_log_that_somebody_deletes_or_damages_is_written_again() {
    for (text, notice) in [
        (None, WriterNotice::Gone),
        (Some(String::new()), WriterNotice::Gone),
        (Some("v1 7 a\nrubbish\n".to_owned()), WriterNotice::Damaged(1)),
    ] {
        let server = &mut Server::default();
        let mut writer = opened("a", server);
        commit(&mut writer, server, "t", 1).unwrap();
        server.set(text);
        writer.commit("u", vec![claim(2)]);
        assert_eq!(settle(&mut writer, server), [notice]);
        assert_eq!(server.jobs(), ["job-1", "job-2"]);
    }
}

#[test]
fn claims_go_when_the_status_says_what_they_say() {
    let server = &mut Server::default();
    let mut writer = opened("a", server);
    commit(&mut writer, server, "t", 1).unwrap();
    let status: ScheduledTaskStatus = serde_json::from_value(json!({"accountedUntil": "1970-01-01T00:00:01Z"})).unwrap();
    assert!(writer.of("t", &status).is_empty() && !writer.has("t"));
    assert_eq!(server.jobs(), ["job-1"], "not in a write of its own");
    commit(&mut writer, server, "u", 2).unwrap();
    assert_eq!(server.jobs(), ["job-2"]);
    writer.forget("u");
    commit(&mut writer, server, "v", 3).unwrap();
    assert_eq!(server.jobs(), ["job-3"]);
}

#[test]
fn a_herd_writes_little_for_each_start() {
    let server = &mut Server::default();
    let mut writer = opened("a", server);
    // 512 starts are on their way at any time; 16 POSTs are answered between two writes that could be made.
    let (mut next, mut on_their_way) = (0, VecDeque::new());
    let (mut created, before) = (0, server.bytes);
    while created < 5_000 {
        while next < 5_000 && next - created < 512 {
            writer.commit(&format!("0f0a9f3e-0000-4000-8000-{next:012}"), vec![claim(1_800_000_000 + next)]);
            on_their_way.push_back(next);
            next += 1;
        }
        settle(&mut writer, server);
        for _ in 0..16 {
            let Some(at) = on_their_way.pop_front() else { break };
            let task = format!("0f0a9f3e-0000-4000-8000-{at:012}");
            if !writer.has(&task) {
                on_their_way.push_front(at);
                break;
            }
            writer.created(&task, &claim(1_800_000_000 + at).job);
            writer.released(&task);
            created += 1;
        }
    }
    let each = (server.bytes - before) / 5_000;
    assert!(each < 1_024, "{each} bytes of log for each start");
}

#[test]
fn starts_that_never_succeed_keep_no_other_from_being_committed() {
    let server = &mut Server::default();
    let mut writer = opened("a", server);
    for second in 0..1_000 {
        let task = format!("refused-{second}");
        commit(&mut writer, server, &task, second).unwrap();
        writer.released(&task);
    }
    commit(&mut writer, server, "t", 5_000).unwrap();
}

#[test]
fn nobody_waits_for_others_who_take_long() {
    let server = &mut Server::default();
    let mut writer = opened("a", server);
    for second in 0..200 {
        writer.commit(&format!("slow-{second}"), vec![claim(second)]);
    }
    settle(&mut writer, server);
    writer.commit("t", vec![claim(5_000)]);
    assert!(writer.next_request(true).is_none() && writer.is_gathering(), "more may come");
    let request = writer.next_request(false).expect("but not for long");
    writer.answered(server.answer(&request));
    assert!(server.jobs().contains(&claim(5_000).job) && !writer.is_gathering());
}

#[test]
fn a_full_log_is_committed_in_several_groups() {
    let server = &mut Server::default();
    let mut writer = opened("a", server);
    let tickets = 20_000;
    for second in 0..tickets {
        writer.commit(
            &format!("0f0a9f3e-0000-4000-8000-{second:012}"),
            vec![claim(1_800_000_000 + second)],
        );
    }
    let mut committed = 0;
    while committed < tickets {
        while let Some(request) = writer.next_request(false) {
            writer.answered(server.answer(&request));
        }
        let done = writer.done();
        assert!(!done.is_empty() && server.text.as_ref().unwrap().len() < 1_000_000);
        for second in committed..committed + i64::try_from(done.len()).unwrap() {
            let task = format!("0f0a9f3e-0000-4000-8000-{second:012}");
            writer.created(&task, &claim(1_800_000_000 + second).job);
            writer.released(&task);
        }
        committed += i64::try_from(done.len()).unwrap();
    }
}

/// Two processes, one server: answers are lost, leaders change while requests are on their way.
#[test]
fn what_is_committed_is_in_the_log_until_it_is_settled() {
    for seed in 0..2_000_u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut one_of = |most: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % most
        };
        let mut server = Server::default();
        let mut writers = [Writer::new("a"), Writer::new("b")];
        let mut late: Vec<LogRequest> = Vec::new();
        let (mut committed, mut next, mut holder) = (Vec::new(), 0, 0);
        for _ in 0..60 {
            let at = usize::try_from(one_of(2)).unwrap();
            match one_of(8) {
                0 => writers[at].open(),
                1 if !late.is_empty() => drop(server.answer(&late.remove(0))),
                _ => {
                    next += 1;
                    writers[at].commit("t", vec![claim(next)]);
                }
            }
            for _ in 0..one_of(5) {
                let Some(request) = writers[at].next_request(true) else { break };
                let answer = match one_of(6) {
                    0 => {
                        late.push(request);
                        Err(Failure::Unanswered("it is on its way".into()))
                    }
                    1 => {
                        drop(server.answer(&request));
                        Err(Failure::Unanswered("its answer was lost".into()))
                    }
                    _ => server.answer(&request),
                };
                let was_open = writers[at].is_open();
                writers[at].answered(answer);
                if writers[at].is_open() && !was_open {
                    holder = at;
                }
            }
            for (ticket, done) in writers[at].done() {
                if done.is_ok() {
                    assert_eq!(holder, at, "seed {seed}: {ticket} of a process that was deposed");
                    committed = writers[at].of("t", &unsettled());
                }
            }
        }
        // Whoever leads last knows all of it.
        let mut last = writers[holder].clone();
        last.open();
        settle(&mut last, &mut server);
        settle(&mut last, &mut server);
        let known = last.of("t", &unsettled());
        assert!(
            committed.iter().all(|claim| known.contains(claim)),
            "seed {seed}: {committed:?} in {known:?}"
        );
    }
}
