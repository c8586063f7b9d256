//! The program as a child process, every byte of whose output is kept.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub(crate) struct Process {
    child: Child,
    written: Arc<Mutex<Vec<u8>>>,
    reading: Vec<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let reading = vec![
            collect(child.stdout.take().unwrap(), written.clone()),
            collect(child.stderr.take().unwrap(), written.clone()),
        ];
        Self { child, written, reading }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// What it has written so far.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.written.lock().unwrap().clone()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended, and returns all that it wrote.
    pub(crate) fn whole(&mut self) -> Vec<u8> {
        self.child.wait().unwrap();
        self.reading.drain(..).for_each(|reading| reading.join().unwrap());
        self.written()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; `wait` then only collects it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("---- what the gateway wrote\n{}\n----", String::from_utf8_lossy(&self.written()));
        }
    }
}

fn collect(mut stream: impl Read + Send + 'static, into: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut chunk) {
            into.lock().unwrap().extend_from_slice(&chunk[..count]);
        }
    })
}
