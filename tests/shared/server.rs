//! A `redis-server` of our own, on a loopback port that was free, ended when it is dropped.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub struct RedisServer {
    child: Option<Child>,
    pub port: u16,
    options: Vec<String>,
    folder: PathBuf,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Options are those of its command line, without the `--`: `port 0`.
    pub fn with(options: &[&str]) -> Self {
        let options = options.iter().flat_map(|option| {
            let (name, value) = option.split_once(' ').unwrap();
            [format!("--{name}"), value.to_owned()]
        });
        let mut server =
            Self { child: None, port: free_port(), options: options.collect(), folder: folder() };
        server.restart();
        server
    }

    /// A sentinel that watches the master at `port` under the name `main`.
    pub fn sentinel(port: u16) -> Self {
        let mut sentinel = Self { child: None, port: free_port(), options: Vec::new(), folder: folder() };
        let config = sentinel.folder.join("sentinel.conf");
        let lines = [
            format!("port {}", sentinel.port),
            "bind 127.0.0.1".to_owned(),
            format!("sentinel monitor main 127.0.0.1 {port} 1"),
            "sentinel down-after-milliseconds main 500".to_owned(),
            "sentinel failover-timeout main 2000".to_owned(),
        ];
        std::fs::write(&config, lines.join("\n")).unwrap();
        let child = Command::new("redis-server")
            .arg(&config)
            .args(["--sentinel", "--dir"])
            .arg(&sentinel.folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        sentinel.child = Some(child);
        sentinel.wait();
        sentinel
    }

    /// Starts it again, empty, at the same port.
    pub fn restart(&mut self) {
        assert!(self.child.is_none());
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
            "--dir",
        ]);
        command.arg(&self.folder);
        if !self.options.iter().any(|option| option == "--port") {
            command.args(["--port", &self.port.to_string()]);
        }
        // The own port may be wanted for TLS.
        let options = self.options.iter().map(|option| option.replace("PORT", &self.port.to_string()));
        let child = command.args(options).stdout(Stdio::null()).spawn();
        self.child = Some(child.expect("there is no `redis-server`: run `deploy/setup tests`"));
        self.wait();
    }

    fn wait(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < Duration::from_secs(10),
                "redis-server did not start"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// As `kill -9` does: nothing is written down, nobody is told.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// It hears, and does not answer.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A connection of somebody who can read and write everything.
    pub fn connection(&self) -> redis::Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// The names of all keys that begin so.
    pub fn keys(&self, start: &str) -> Vec<String> {
        redis::cmd("KEYS").arg(format!("{start}*")).query(&mut self.connection()).unwrap()
    }

    /// Waits until there are as many keys that begin so.
    pub async fn has(&self, count: usize, start: &str) -> Vec<String> {
        crate::gateway::eventually(Duration::from_secs(5), || self.keys(start).len() == count).await;
        self.keys(start)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        // What is left behind is left to the system.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("tollgate-redis-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
