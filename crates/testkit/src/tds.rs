//! A SQL Server of this process, as far as a client that reads gets to see one: it speaks TDS 7.4 by the public specification
//! ([MS-TDS]; sections are named), takes one login, and answers statements with what a test has written down.
//!
//! It encrypts nothing. It can send on to another server, insist on encryption, hang, and break off.

mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
pub use wire::{Cell, Type};
use wire::{FIRST_WORDS, LOGIN, STATEMENT, Tokens, packets};

/// The login and the database that there are.
pub const USER: &str = "limn_reader";
pub const DATABASE: &str = "street";
/// Most bytes of a message that is taken.
const MESSAGE_MAX: usize = 1 << 20;

/// What is said of encryption in the first words (2.2.6.5): none, or nothing else.
pub const NO_ENCRYPTION: u8 = 2;
pub const ONLY_ENCRYPTION: u8 = 3;

/// How the server behaves; changes count from the next connection or statement on.
pub struct Rules {
    pub password: String,
    pub encryption: u8,
    /// Sends whoever has signed in on to another server.
    pub sends_to: Option<(String, u16)>,
    /// Statements by a part of their text, the first that fits, and what they answer.
    pub answers: Vec<(&'static str, Answer)>,
    /// Times that somebody signed in, or tried to.
    pub logins: usize,
    /// What the last one said of itself: database, program, and whether it only reads.
    pub said: Option<(String, String, bool)>,
    /// Statements that came.
    pub asked: Vec<String>,
    /// Statements outside the transaction that was begun.
    pub outside: usize,
}

impl Rules {
    pub fn new(password: &str) -> Self {
        Self {
            password: password.to_owned(),
            encryption: NO_ENCRYPTION,
            sends_to: None,
            answers: Vec::new(),
            logins: 0,
            said: None,
            asked: Vec::new(),
            outside: 0,
        }
    }
}

/// What a statement answers.
#[derive(Clone, Default)]
pub struct Answer {
    pub columns: Vec<(&'static str, Type)>,
    pub rows: Vec<Vec<Cell>>,
    pub end: End,
}

/// How an answer ends.
#[derive(Clone, Default)]
pub enum End {
    #[default]
    Well,
    /// With an error: its number and text.
    Error(u32, &'static str),
    /// Never.
    Hangs,
    /// With the connection.
    Breaks,
}

impl Answer {
    pub fn error(number: u32, text: &'static str) -> Self {
        Self {
            end: End::Error(number, text),
            ..Self::default()
        }
    }
}

type Shared = Arc<Mutex<Rules>>;

fn lock(rules: &Shared) -> MutexGuard<'_, Rules> {
    rules.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server that runs as long as the test's runtime.
#[derive(Clone)]
pub struct SqlServer {
    at: SocketAddr,
    rules: Shared,
}

impl SqlServer {
    /// Serves at a port of its own.
    pub async fn start(rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let rules = Arc::new(Mutex::new(rules));
        let shared = Arc::clone(&rules);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let session = Session {
                    stream,
                    rules: Arc::clone(&shared),
                    transaction: [0; 8],
                };
                tokio::spawn(session.serve());
            }
        });
        Self { at, rules }
    }

    pub fn port(&self) -> u16 {
        self.at.port()
    }

    /// How it behaves, to look at and to change. Not to be held over an `await`.
    pub fn rules(&self) -> MutexGuard<'_, Rules> {
        lock(&self.rules)
    }
}

struct Session {
    stream: TcpStream,
    rules: Shared,
    /// The descriptor of the transaction under way, which statements name (2.2.5.3.2).
    transaction: [u8; 8],
}

impl Session {
    async fn serve(mut self) {
        // A connection that ends, or says what nobody expects, is over.
        self.talk().await;
    }

    async fn talk(&mut self) -> Option<()> {
        let (kind, words) = self.message().await?;
        if kind != FIRST_WORDS || words.first() != Some(&0) {
            return None;
        }
        let encryption = lock(&self.rules).encryption;
        self.send(&wire::first_words(encryption)).await?;
        let (kind, login) = self.message().await?;
        if kind != LOGIN || encryption == ONLY_ENCRYPTION {
            return None;
        }
        self.sign_in(&login).await?;
        loop {
            let (kind, batch) = self.message().await?;
            if kind != STATEMENT {
                return None;
            }
            self.answer(&batch).await?;
        }
    }

    /// A whole message, of as many packets as it has (2.2.3.1).
    async fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut out = Vec::new();
        loop {
            let mut head = [0; 8];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]])).checked_sub(8)?;
            let from = out.len();
            if from + length > MESSAGE_MAX {
                return None;
            }
            out.resize(from + length, 0);
            self.stream.read_exact(&mut out[from..]).await.ok()?;
            if head[1] & 1 == 1 {
                return Some((head[0], out));
            }
        }
    }

    async fn send(&mut self, message: &[u8]) -> Option<()> {
        self.stream.write_all(&packets(message, true)).await.ok()
    }

    async fn sign_in(&mut self, login: &[u8]) -> Option<()> {
        let login = wire::login(login)?;
        let mut tokens = Tokens::default();
        let fine = {
            let mut rules = lock(&self.rules);
            rules.logins += 1;
            rules.said = Some((login.database.clone(), login.program, login.only_reads));
            let mut fine = false;
            if login.user != USER || login.password != rules.password {
                let text = format!("Login failed for user '{}'.", login.user);
                tokens.error(18456, &text);
            } else if login.database != DATABASE {
                let text = format!(
                    "Cannot open database \"{}\" requested by the login. The login failed.",
                    login.database
                );
                tokens.error(4060, &text);
                tokens.error(18456, &format!("Login failed for user '{USER}'."));
            } else {
                fine = true;
                tokens.signed_in(DATABASE);
                if let Some((host, port)) = &rules.sends_to {
                    tokens.sends_to(host, *port);
                }
            }
            tokens.done(!fine, 0);
            fine
        };
        self.send(&tokens.0).await?;
        fine.then_some(())
    }

    async fn answer(&mut self, batch: &[u8]) -> Option<()> {
        let (transaction, sql) = wire::statement(batch)?;
        let begins = sql.contains("BEGIN TRANSACTION");
        let answer = {
            let mut rules = lock(&self.rules);
            rules.asked.push(sql.clone());
            if transaction != self.transaction {
                rules.outside += 1;
            }
            let found = rules.answers.iter().find(|(part, _)| sql.contains(part));
            match found {
                _ if begins => Answer::default(),
                Some((_, answer)) => answer.clone(),
                None => Answer::error(208, "Invalid object name."),
            }
        };
        let mut tokens = Tokens::default();
        if begins {
            self.transaction = [1, 2, 3, 4, 5, 6, 7, 8];
            tokens.begun(self.transaction);
        }
        if !answer.columns.is_empty() {
            tokens.columns(&answer.columns);
            for row in &answer.rows {
                tokens.row(&answer.columns, row);
            }
        }
        match answer.end {
            End::Well => tokens.done(false, answer.rows.len() as u64),
            End::Error(number, text) => {
                tokens.error(number, text);
                tokens.done(true, 0);
            }
            End::Hangs | End::Breaks => {
                // What there is so far, as a message that goes on.
                self.stream.write_all(&packets(&tokens.0, false)).await.ok()?;
                self.stream.flush().await.ok()?;
                if matches!(answer.end, End::Hangs) {
                    std::future::pending::<()>().await;
                }
                return None;
            }
        }
        self.send(&tokens.0).await
    }
}
