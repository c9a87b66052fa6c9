//! Bytes of TDS 7.4: packets, messages of clients, tokens of answers, values.

/// Kinds of packets (2.2.3.1.1).
pub const STATEMENT: u8 = 0x01;
const ANSWER: u8 = 0x04;
pub const LOGIN: u8 = 0x10;
pub const FIRST_WORDS: u8 = 0x12;
/// Bytes of a packet, its header among them.
const PACKET: usize = 4096;
/// Latin1_General, code page 1252, as SQL Server has it where nobody chose another (2.2.5.1.2).
const COLLATION: [u8; 5] = [0x09, 0x04, 0xd0, 0x00, 0x34];
/// Bytes of a value without end in a piece.
const PIECE: usize = 3_000;

/// Types of columns, all of which may be NULL (2.2.5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Bit,
    /// 1, 2, 4 or 8 bytes.
    Int(u8),
    /// 4 or 8 bytes.
    Float(u8),
    /// Precision and scale.
    Decimal(u8, u8),
    /// 4 or 8 bytes.
    Money(u8),
    Date,
    Time(u8),
    DateTime2(u8),
    DateTimeOffset(u8),
    DateTime,
    SmallDateTime,
    Guid,
    NVarChar,
    NVarCharMax,
    VarChar,
    VarBinary,
    VarBinaryMax,
    Xml,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Cell {
    Null,
    /// Of whole numbers, truth, decimals and money in units of their last digit; days since the year 1.
    Int(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// Days since the year 1 (of DATETIME and SMALLDATETIME: since 1900), units of the day, minutes from UTC.
    Moment(i64, u64, i16),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What a login says (2.2.6.4).
pub struct Login {
    pub user: String,
    pub password: String,
    pub program: String,
    pub database: String,
    pub only_reads: bool,
}

/// Cuts a message into packets; one that goes on has no last one.
pub fn packets(message: &[u8], whole: bool) -> Vec<u8> {
    let pieces: Vec<&[u8]> = message.chunks(PACKET - 8).collect();
    let mut out = Vec::new();
    for (n, piece) in pieces.iter().enumerate() {
        let last = u8::from(whole && n + 1 == pieces.len());
        let [high, low] = ((piece.len() + 8) as u16).to_be_bytes();
        out.extend_from_slice(&[ANSWER, last, high, low, 0, 0, n as u8, 0]);
        out.extend_from_slice(piece);
    }
    out
}

/// PRELOGIN of a server (2.2.6.5): version and encryption.
pub fn first_words(encryption: u8) -> Vec<u8> {
    let mut out = vec![0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff];
    out.extend_from_slice(&[16, 0, 0x10, 0, 0, 0, encryption]);
    out
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|b| u16::from_le_bytes([b[0], b[1]]))
        .collect();
    String::from_utf16(&units).ok()
}

/// Reads LOGIN7.
pub fn login(message: &[u8]) -> Option<Login> {
    let number = |at: usize| Some(u16::from_le_bytes([*message.get(at)?, *message.get(at + 1)?]));
    // Offset and characters of a field.
    let field = |at: usize| {
        let (from, length) = (usize::from(number(at)?), usize::from(number(at + 2)?) * 2);
        message.get(from..from + length)
    };
    let hidden: Vec<u8> = field(44)?.iter().map(|b| (b ^ 0xa5).rotate_left(4)).collect();
    Some(Login {
        user: utf16(field(40)?)?,
        password: utf16(&hidden)?,
        program: utf16(field(48)?)?,
        database: utf16(field(68)?)?,
        only_reads: message.get(26)? & 0x20 != 0,
    })
}

/// Reads a batch: the transaction that it names, and its text (2.2.6.7, 2.2.5.3).
pub fn statement(message: &[u8]) -> Option<([u8; 8], String)> {
    let headers = u32::from_le_bytes(message.get(..4)?.try_into().ok()?);
    let transaction = message.get(10..18)?.try_into().ok()?;
    Some((transaction, utf16(message.get(headers as usize..)?)?))
}

/// An answer, token by token (2.2.7).
#[derive(Default)]
pub struct Tokens(pub Vec<u8>);

impl Tokens {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// UTF-16 behind a length of one byte.
    fn short(&mut self, text: &str) {
        let units: Vec<u16> = text.encode_utf16().collect();
        self.put(&[units.len() as u8]);
        for unit in units {
            self.put(&unit.to_le_bytes());
        }
    }

    /// The same behind one of two.
    fn long(&mut self, text: &str) {
        let units: Vec<u16> = text.encode_utf16().collect();
        self.put(&(units.len() as u16).to_le_bytes());
        for unit in units {
            self.put(&unit.to_le_bytes());
        }
    }

    /// A token with its length in front.
    fn token(&mut self, kind: u8, inside: &Self) {
        self.put(&[kind]);
        self.put(&(inside.0.len() as u16).to_le_bytes());
        self.put(&inside.0);
    }

    /// ERROR (2.2.7.10).
    pub fn error(&mut self, number: u32, text: &str) {
        let mut inside = Self::default();
        inside.put(&number.to_le_bytes());
        inside.put(&[1, 14]);
        inside.long(text);
        inside.short("stand-in");
        inside.short("");
        inside.put(&1_u32.to_le_bytes());
        self.token(0xaa, &inside);
    }

    /// ENVCHANGE of the database, and LOGINACK (2.2.7.9, 2.2.7.14).
    pub fn signed_in(&mut self, database: &str) {
        let mut change = Self(vec![1]);
        change.short(database);
        change.short("master");
        self.token(0xe3, &change);
        let mut ack = Self(vec![1, 0x74, 0, 0, 4]);
        ack.short("Microsoft SQL Server");
        ack.put(&[16, 0, 0x10, 0]);
        self.token(0xad, &ack);
    }

    /// ENVCHANGE: another server (type 20).
    pub fn sends_to(&mut self, host: &str, port: u16) {
        let mut target = Self(vec![0]);
        target.put(&port.to_le_bytes());
        target.long(host);
        let mut change = Self(vec![20]);
        change.put(&(target.0.len() as u16).to_le_bytes());
        change.put(&target.0);
        change.put(&[0, 0]);
        self.token(0xe3, &change);
    }

    /// ENVCHANGE: a transaction has begun (type 8).
    pub fn begun(&mut self, transaction: [u8; 8]) {
        let mut change = Self(vec![8, 8]);
        change.put(&transaction);
        change.put(&[0]);
        self.token(0xe3, &change);
    }

    /// DONE (2.2.7.6).
    pub fn done(&mut self, failed: bool, rows: u64) {
        // An error, or a count of rows.
        let status: u16 = if failed { 0x02 } else { 0x10 };
        self.put(&[0xfd]);
        self.put(&status.to_le_bytes());
        self.put(&[0xc1, 0]);
        self.put(&rows.to_le_bytes());
    }

    /// COLMETADATA (2.2.7.4).
    pub fn columns(&mut self, columns: &[(&str, Type)]) {
        self.put(&[0x81]);
        self.put(&(columns.len() as u16).to_le_bytes());
        for (name, kind) in columns {
            // No type of a user's; may be NULL.
            self.put(&[0, 0, 0, 0, 1, 0]);
            self.kind(*kind);
            self.short(name);
        }
    }

    /// TYPE_INFO (2.2.5.6).
    fn kind(&mut self, kind: Type) {
        match kind {
            Type::Bit => self.put(&[0x68, 1]),
            Type::Int(bytes) => self.put(&[0x26, bytes]),
            Type::Float(bytes) => self.put(&[0x6d, bytes]),
            Type::Decimal(precision, scale) => self.put(&[0x6a, 17, precision, scale]),
            Type::Money(bytes) => self.put(&[0x6e, bytes]),
            Type::Date => self.put(&[0x28]),
            Type::Time(scale) => self.put(&[0x29, scale]),
            Type::DateTime2(scale) => self.put(&[0x2a, scale]),
            Type::DateTimeOffset(scale) => self.put(&[0x2b, scale]),
            Type::DateTime => self.put(&[0x6f, 8]),
            Type::SmallDateTime => self.put(&[0x6f, 4]),
            Type::Guid => self.put(&[0x24, 16]),
            Type::NVarChar => {
                self.put(&[0xe7, 0x40, 0x1f]);
                self.put(&COLLATION);
            }
            Type::NVarCharMax => {
                self.put(&[0xe7, 0xff, 0xff]);
                self.put(&COLLATION);
            }
            Type::VarChar => {
                self.put(&[0xa7, 0x40, 0x1f]);
                self.put(&COLLATION);
            }
            Type::VarBinary => self.put(&[0xa5, 0x40, 0x1f]),
            Type::VarBinaryMax => self.put(&[0xa5, 0xff, 0xff]),
            // Without a schema.
            Type::Xml => self.put(&[0xf1, 0]),
        }
    }

    /// ROW (2.2.7.19).
    pub fn row(&mut self, columns: &[(&str, Type)], cells: &[Cell]) {
        self.put(&[0xd1]);
        for ((_, kind), cell) in columns.iter().zip(cells) {
            let bytes = bytes(*kind, cell);
            match kind {
                Type::NVarCharMax | Type::VarBinaryMax | Type::Xml => self.pieces(bytes.as_deref()),
                Type::NVarChar | Type::VarChar | Type::VarBinary => match bytes {
                    None => self.put(&[0xff, 0xff]),
                    Some(bytes) => {
                        self.put(&(bytes.len() as u16).to_le_bytes());
                        self.put(&bytes);
                    }
                },
                _ => {
                    let bytes = bytes.unwrap_or_default();
                    self.put(&[bytes.len() as u8]);
                    self.put(&bytes);
                }
            }
        }
    }

    /// A value of any length, in pieces (2.2.5.2.3).
    fn pieces(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else {
            return self.put(&[0xff; 8]);
        };
        self.put(&(bytes.len() as u64).to_le_bytes());
        for piece in bytes.chunks(PIECE) {
            self.put(&(piece.len() as u32).to_le_bytes());
            self.put(piece);
        }
        self.put(&[0; 4]);
    }
}

/// Units since midnight, in as many bytes as a scale needs (2.2.5.5.1.5).
fn clock(units: u64, scale: u8) -> Vec<u8> {
    let bytes = match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    };
    units.to_le_bytes()[..bytes].to_vec()
}

/// The bytes of a value without what says how many they are; `None` is NULL.
fn bytes(kind: Type, cell: &Cell) -> Option<Vec<u8>> {
    let day = |days: i64| days.to_le_bytes()[..3].to_vec();
    Some(match (kind, cell) {
        (_, Cell::Null) => return None,
        (Type::Bit, Cell::Int(n)) => vec![*n as u8],
        (Type::Int(bytes), Cell::Int(n)) => n.to_le_bytes()[..usize::from(bytes)].to_vec(),
        (Type::Float(4), Cell::Float(v)) => (*v as f32).to_le_bytes().to_vec(),
        (Type::Float(_), Cell::Float(v)) => v.to_le_bytes().to_vec(),
        (Type::Decimal(..), Cell::Int(n)) => {
            let mut out = vec![u8::from(*n >= 0)];
            out.extend_from_slice(&n.unsigned_abs().to_le_bytes());
            out
        }
        (Type::Money(4), Cell::Int(n)) => n.to_le_bytes()[..4].to_vec(),
        // The upper half comes first (2.2.5.5.1.2).
        (Type::Money(_), Cell::Int(n)) => {
            let n = n.to_le_bytes();
            [&n[4..8], &n[..4]].concat()
        }
        (Type::Date, Cell::Int(n)) => day(*n as i64),
        (Type::Time(scale), Cell::Moment(_, units, _)) => clock(*units, scale),
        (Type::DateTime2(scale), Cell::Moment(days, units, _)) => [clock(*units, scale), day(*days)].concat(),
        (Type::DateTimeOffset(scale), Cell::Moment(days, units, minutes)) => {
            [clock(*units, scale), day(*days), minutes.to_le_bytes().to_vec()].concat()
        }
        (Type::DateTime, Cell::Moment(days, units, _)) => {
            [(*days as i32).to_le_bytes(), (*units as u32).to_le_bytes()].concat()
        }
        (Type::SmallDateTime, Cell::Moment(days, units, _)) => {
            [(*days as u16).to_le_bytes(), (*units as u16).to_le_bytes()].concat()
        }
        (Type::NVarChar | Type::NVarCharMax | Type::Xml, Cell::Text(text)) => {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        // Characters of the code page that are those of Latin-1.
        (Type::VarChar, Cell::Text(text)) => text.chars().map(|c| c as u8).collect(),
        // The first three groups are the other way round.
        (Type::Guid, Cell::Bytes(b)) => {
            let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
            order.iter().map(|n| b[*n]).collect()
        }
        (Type::VarBinary | Type::VarBinaryMax, Cell::Bytes(b)) => b.clone(),
        (kind, cell) => panic!("{cell:?} is no value of {kind:?}"),
    })
}
