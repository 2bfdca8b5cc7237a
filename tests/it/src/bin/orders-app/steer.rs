//! What a test wants of a process that runs: a line of its standard input is a number and a wish, and a
//! line of its output says what came of it.

use fastkafka::App;
use fastkafka::control::{Handle, Seek, Target};
use std::io::BufRead;

/// On a thread of its own: nobody can give up a read of the standard input.
pub(crate) fn heed(app: &App) {
    let (app, handle, topic) = (app.clone(), app.handle(), app.info().title.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a thread can wait");
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let (number, wish) = line.split_once(' ').unwrap_or((&line, ""));
            let outcome = match wish {
                // In one line.
                "health" => serde_json::to_string(&app.health()).map_err(|error| error.to_string()),
                wish => runtime.block_on(obey(&handle, &topic, wish)),
            };
            let outcome = outcome.unwrap_or_else(|error| error);
            println!("wish {number}: {outcome}");
        }
    });
}

/// `pause 0`, `resume 0`, `seek 0 OFFSET|beginning|end`; `all` stands for all partitions. `health` is answered
/// before.
async fn obey(handle: &Handle, topic: &str, wish: &str) -> Result<String, String> {
    let words: Vec<_> = wish.split(' ').collect();
    let [wish, partition, rest @ ..] = &words[..] else {
        return Err("no such wish".to_owned());
    };
    let target = match partition.parse() {
        Ok(partition) => Target::topic(topic).partition(partition),
        Err(_) => Target::topic(topic),
    };
    let done = match (*wish, rest) {
        ("pause", []) => handle.pause(target).await.map(|()| "done".to_owned()),
        ("resume", []) => handle.resume(target).await.map(|()| "done".to_owned()),
        ("seek", [to]) => {
            let to = match *to {
                "beginning" => Seek::Beginning,
                "end" => Seek::End,
                offset => Seek::Offset(offset.parse().map_err(|_| "no such offset".to_owned())?),
            };
            handle.seek(target, to).await.map(|moved| {
                let moved = moved.iter();
                let moved = moved.map(|at| format!("{}@{}", at.partition, at.offset));
                moved.collect::<Vec<_>>().join(" ")
            })
        }
        _ => return Err("no such wish".to_owned()),
    };
    done.map_err(|error| error.to_string())
}
