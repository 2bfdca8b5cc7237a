//! Every interleaving of what wakes a driver with its decision to sleep. The driver sleeps without a
//! time limit here, so that a wake-up that is lost is a deadlock, which loom reports.

use super::Mailbox;
use ::loom::sync::{Arc, Mutex};
use ::loom::{model, thread};

/// A queue of librdkafka's: its callback comes only when it was empty before.
struct Queue {
    waiting: Mutex<usize>,
    driver: thread::Thread,
}

impl Queue {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::new(0),
            driver: thread::current(),
        })
    }

    fn enqueue(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        *waiting += 1;
        let first = *waiting == 1;
        drop(waiting);
        if first {
            self.driver.unpark();
        }
    }

    /// At most `max`, without waiting.
    fn fetch(&self, max: usize) -> usize {
        let mut waiting = self.waiting.lock().unwrap();
        let taken = max.min(*waiting);
        *waiting -= taken;
        taken
    }

    fn is_empty(&self) -> bool {
        *self.waiting.lock().unwrap() == 0
    }
}

/// A turn of the runtime's driver, reduced to the parts that concern its sleep: the same steps in the
/// same order (`Driver::turn`, `serve::on_thread`).
struct Driver {
    mailbox: Arc<Mailbox<u32>>,
    events: Arc<Queue>,
    records: Arc<Queue>,
    /// Records that may be held before reading waits for mail.
    room: usize,
    held: usize,
    mail: Vec<u32>,
    served: usize,
    read: usize,
    stopping: bool,
}

/// The most records of one fetch.
const FETCH: usize = 2;

impl Driver {
    fn new(room: usize) -> Self {
        let me = thread::current();
        Self {
            mailbox: Arc::new(Mailbox::new(Box::new(move || me.unpark()))),
            events: Queue::new(),
            records: Queue::new(),
            room,
            held: 0,
            mail: Vec::new(),
            served: 0,
            read: 0,
            stopping: false,
        }
    }

    /// True when there may be more to read at once.
    fn turn(&mut self) -> bool {
        let mut mail = Vec::new();
        self.mailbox.take(&mut mail);
        // Mail says that a record was settled: there is room for another.
        self.held = self.held.saturating_sub(mail.len());
        self.mail.extend(mail);
        self.poll();
        self.stopping |= self.mailbox.is_stopping();
        if self.held >= self.room {
            return false;
        }
        let taken = self.records.fetch(FETCH);
        self.read += taken;
        self.held += taken;
        taken == FETCH
    }

    /// A poll of the client serves an event and says that there was none.
    fn poll(&mut self) {
        loop {
            self.served += self.events.fetch(1);
            if self.events.is_empty() {
                return;
            }
        }
    }

    fn serve_until(&mut self, done: impl Fn(&Self) -> bool) {
        loop {
            let more = self.turn();
            if done(self) {
                return;
            }
            if !more {
                thread::park();
            }
        }
    }
}

#[test]
fn mail_wakes_the_driver_whenever_it_comes() {
    model(|| {
        let mut driver = Driver::new(usize::MAX);
        let senders = [1, 2].map(|mail| {
            let mailbox = driver.mailbox.clone();
            thread::spawn(move || mailbox.push(mail))
        });
        driver.serve_until(|driver| driver.mail.len() == 2);
        senders
            .into_iter()
            .for_each(|sender| sender.join().unwrap());
        driver.mail.sort_unstable();
        assert_eq!(driver.mail, [1, 2]);
    });
}

#[test]
fn mail_of_one_sender_keeps_its_order() {
    model(|| {
        let mut driver = Driver::new(usize::MAX);
        let mailbox = driver.mailbox.clone();
        let sender = thread::spawn(move || (1..=3).for_each(|mail| mailbox.push(mail)));
        driver.serve_until(|driver| driver.mail.len() == 3);
        sender.join().unwrap();
        assert_eq!(driver.mail, [1, 2, 3]);
    });
}

#[test]
fn a_request_to_stop_wakes_the_driver_and_comes_after_what_was_sent_before() {
    model(|| {
        let mut driver = Driver::new(usize::MAX);
        let mailbox = driver.mailbox.clone();
        let app = thread::spawn(move || {
            mailbox.push(1);
            mailbox.stop();
        });
        driver.serve_until(|driver| driver.stopping);
        app.join().unwrap();
        driver.turn();
        assert_eq!(driver.mail, [1]);
    });
}

#[test]
fn records_wake_the_driver_also_while_it_fetches() {
    model(|| {
        let mut driver = Driver::new(usize::MAX);
        let records = driver.records.clone();
        let client = thread::spawn(move || (0..FETCH + 1).for_each(|_| records.enqueue()));
        driver.serve_until(|driver| driver.read == FETCH + 1);
        client.join().unwrap();
    });
}

#[test]
fn an_event_wakes_the_driver_also_behind_another_one() {
    model(|| {
        let mut driver = Driver::new(usize::MAX);
        let clients = [(); 2].map(|()| {
            let events = driver.events.clone();
            thread::spawn(move || events.enqueue())
        });
        driver.serve_until(|driver| driver.served == 2);
        clients
            .into_iter()
            .for_each(|client| client.join().unwrap());
    });
}

/// The callback of a record that is not read comes once; it is the mail that wakes the driver then.
#[test]
fn what_waited_for_room_is_read_when_mail_makes_it() {
    model(|| {
        let mut driver = Driver::new(1);
        let (records, mailbox) = (driver.records.clone(), driver.mailbox.clone());
        records.enqueue();
        assert!(!driver.turn(), "there was one record");
        let client = thread::spawn(move || records.enqueue());
        let lane = thread::spawn(move || mailbox.push(1));
        driver.serve_until(|driver| driver.read == 2);
        client.join().unwrap();
        lane.join().unwrap();
    });
}

#[test]
fn mail_a_record_and_a_request_to_stop_come_at_once() {
    model(|| {
        let mut driver = Driver::new(usize::MAX);
        let (records, mailbox) = (driver.records.clone(), driver.mailbox.clone());
        let client = thread::spawn(move || records.enqueue());
        let app = thread::spawn(move || mailbox.stop());
        driver.mailbox.push(1);
        driver.serve_until(|driver| driver.stopping && driver.read == 1);
        assert_eq!(driver.mail, [1]);
        client.join().unwrap();
        app.join().unwrap();
    });
}
