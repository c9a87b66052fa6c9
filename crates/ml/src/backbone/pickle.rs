//! The part of Python's pickle that `torch.save` writes weights in. A pickle is a program for a machine with a stack, and may name any function of
//! Python to be called. This machine knows dictionaries, tuples, lists, numbers and texts, and three names: `OrderedDict`, a tensor made of a storage,
//! and the storages by kind. Nothing is called; any other name, and any other instruction, ends the reading. Things are numbers of places in
//! one list, so that nothing is ever walked down or copied, however a file ties itself up.

use std::collections::HashMap;

/// Bytes of a program.
pub(super) const PROGRAM_MAX: usize = 8 << 20;
/// Things that a program makes.
const THINGS_MAX: usize = 1_000_000;
/// Sides of a tensor.
const SIDES_MAX: usize = 8;
/// Bytes of a name of something of Python's.
const NAME_MAX: usize = 200;

/// What a storage holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F16,
    Bf16,
    F64,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Kind {
    /// By the class of PyTorch's that holds it.
    fn of(class: &str) -> Option<Self> {
        Some(match class {
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "DoubleStorage" => Self::F64,
            "LongStorage" => Self::I64,
            "IntStorage" => Self::I32,
            "ShortStorage" => Self::I16,
            "CharStorage" => Self::I8,
            "ByteStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// Bytes of a number.
    pub const fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }
}

/// Where numbers lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Storage<'a> {
    pub kind: Kind,
    pub key: &'a str,
    pub count: usize,
}

/// Numbers of a storage, in a form. Steps are in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor<'a> {
    pub storage: Storage<'a>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub steps: Vec<usize>,
}

/// The names that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    OrderedDict,
    Tensor,
    Storage(Kind),
}

/// A place in the list of things.
pub(super) type Id = u32;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Thing<'a> {
    /// A truth, nothing, a fraction: nobody asks.
    Plain,
    Number(i64),
    /// A whole number of more than 64 bits, as bytes, least first.
    Large(&'a [u8]),
    Text(&'a str),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Tensor(Tensor<'a>),
    Storage(Storage<'a>),
    Class(Class),
}

/// All things that a program made, and which of them it ends with.
#[derive(Debug)]
pub(super) struct Made<'a> {
    things: Vec<Thing<'a>>,
    top: Id,
    /// Bytes of the program.
    pub length: usize,
}

impl<'a> Made<'a> {
    pub fn top(&self) -> &Thing<'a> {
        self.get(self.top)
    }

    pub fn get(&self, id: Id) -> &Thing<'a> {
        self.things.get(id as usize).unwrap_or(&Thing::Plain)
    }

    pub fn storages(&self) -> impl Iterator<Item = Storage<'a>> {
        self.things.iter().filter_map(|t| match t {
            Thing::Storage(s) => Some(*s),
            _ => None,
        })
    }
}

/// Runs a program that begins here. Errors in words.
pub(super) fn read(bytes: &[u8]) -> Result<Made<'_>, String> {
    let mut machine = Machine {
        bytes: &bytes[..bytes.len().min(PROGRAM_MAX)],
        at: 0,
        things: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    let top = machine.run()?;
    Ok(Made {
        things: machine.things,
        top,
        length: machine.at,
    })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    things: Vec<Thing<'a>>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

fn cut_off() -> String {
    "its pickle is cut off".to_owned()
}

fn tied_up() -> String {
    "its pickle is not one that `torch.save` writes".to_owned()
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            match self.byte()? {
                b'.' => return self.pop(),
                0x80 => {
                    let protocol = self.byte()?;
                    if protocol > 3 {
                        return Err(format!(
                            "it is a pickle of protocol {protocol}; `torch.save` writes 2 unless it is told otherwise"
                        ));
                    }
                }
                b'}' => self.push(Thing::Dict(Vec::new()))?,
                b']' => self.push(Thing::List(Vec::new()))?,
                b')' => self.push(Thing::Tuple(Vec::new()))?,
                b'(' => self.marks.push(self.stack.len()),
                b't' => {
                    let items = self.since_mark()?;
                    self.push(Thing::Tuple(items))?;
                }
                n @ 0x85..=0x87 => {
                    let n = usize::from(n - 0x84);
                    let from = self.stack.len().checked_sub(n).ok_or_else(tied_up)?;
                    let items = self.stack.split_off(from);
                    self.push(Thing::Tuple(items))?;
                }
                b'N' | 0x88 | 0x89 => self.push(Thing::Plain)?,
                b'G' => {
                    self.take(8)?;
                    self.push(Thing::Plain)?;
                }
                op @ (b'J' | b'K' | b'M' | 0x8a) => self.number(op)?,
                // The second and third are of Python 2, whose texts are bytes.
                op @ (b'X' | b'T' | b'U') => {
                    let n = match op {
                        b'U' => usize::from(self.byte()?),
                        _ => self.length()?,
                    };
                    let text = std::str::from_utf8(self.take(n)?).map_err(|_| tied_up())?;
                    self.push(Thing::Text(text))?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    let class = known(module, name)?;
                    self.push(Thing::Class(class))?;
                }
                op @ (b'q' | b'r' | b'h' | b'j') => self.remember(op)?,
                b'Q' => self.storage()?,
                b'R' => self.reduce()?,
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.dict()?.push((key, value));
                }
                b'u' => {
                    let items = self.since_mark()?;
                    let (pairs, rest) = items.as_chunks::<2>();
                    if !rest.is_empty() {
                        return Err(tied_up());
                    }
                    let pairs: Vec<(Id, Id)> = pairs.iter().map(|[k, v]| (*k, *v)).collect();
                    self.dict()?.extend(pairs);
                }
                b'a' => {
                    let item = self.pop()?;
                    self.list()?.push(item);
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.list()?.extend(items);
                }
                b'b' => {
                    // What a dictionary has besides its entries, such as versions of modules: not looked at.
                    self.pop()?;
                    self.dict()?;
                }
                op => {
                    return Err(format!(
                        "its pickle has the instruction 0x{op:02x}, which weights do not need; nothing of it was run"
                    ));
                }
            }
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(n);
        let found = end.and_then(|end| self.bytes.get(self.at..end));
        let found = found.ok_or_else(cut_off)?;
        self.at += n;
        Ok(found)
    }

    fn word<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn length(&mut self) -> Result<usize, String> {
        Ok(u32::from_le_bytes(self.word()?) as usize)
    }

    /// Up to the end of a line.
    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().take(NAME_MAX).position(|b| *b == b'\n');
        let end = end.ok_or_else(|| {
            if rest.len() < NAME_MAX {
                cut_off()
            } else {
                tied_up()
            }
        })?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| tied_up())
    }

    fn push(&mut self, thing: Thing<'a>) -> Result<(), String> {
        if self.things.len() >= THINGS_MAX {
            return Err(format!("its pickle makes more than {THINGS_MAX} things"));
        }
        self.stack.push(self.things.len() as Id);
        self.things.push(thing);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.stack.pop().ok_or_else(tied_up)
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let from = self.marks.pop().filter(|m| *m <= self.stack.len());
        Ok(self.stack.split_off(from.ok_or_else(tied_up)?))
    }

    fn thing(&self, id: Id) -> &Thing<'a> {
        self.things.get(id as usize).unwrap_or(&Thing::Plain)
    }

    /// The dictionary on top.
    fn dict(&mut self) -> Result<&mut Vec<(Id, Id)>, String> {
        let top = *self.stack.last().ok_or_else(tied_up)?;
        match self.things.get_mut(top as usize) {
            Some(Thing::Dict(entries)) => Ok(entries),
            _ => Err(tied_up()),
        }
    }

    /// The list on top.
    fn list(&mut self) -> Result<&mut Vec<Id>, String> {
        let top = *self.stack.last().ok_or_else(tied_up)?;
        match self.things.get_mut(top as usize) {
            Some(Thing::List(items)) => Ok(items),
            _ => Err(tied_up()),
        }
    }

    fn number(&mut self, op: u8) -> Result<(), String> {
        let n = match op {
            b'J' => i64::from(i32::from_le_bytes(self.word()?)),
            b'K' => i64::from(self.byte()?),
            b'M' => i64::from(u16::from_le_bytes(self.word()?)),
            _ => {
                let n = usize::from(self.byte()?);
                let bytes = self.take(n)?;
                if n > 8 {
                    return self.push(Thing::Large(bytes));
                }
                let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
                let mut out = [if negative { 0xff } else { 0 }; 8];
                out[..n].copy_from_slice(bytes);
                i64::from_le_bytes(out)
            }
        };
        self.push(Thing::Number(n))
    }

    fn remember(&mut self, op: u8) -> Result<(), String> {
        let key = match op {
            b'q' | b'h' => u32::from(self.byte()?),
            _ => u32::from_le_bytes(self.word()?),
        };
        if matches!(op, b'q' | b'r') {
            let top = *self.stack.last().ok_or_else(tied_up)?;
            self.memo.insert(key, top);
        } else {
            let id = *self.memo.get(&key).ok_or_else(tied_up)?;
            self.stack.push(id);
        }
        Ok(())
    }

    /// `('storage', class, key, where it was, how many)`; older files have one thing more, which says whether it is a part of another.
    fn storage(&mut self) -> Result<(), String> {
        let id = self.pop()?;
        let Thing::Tuple(parts) = self.thing(id) else {
            return Err(tied_up());
        };
        let [what, class, key, _, count, rest @ ..] = &parts[..] else {
            return Err(tied_up());
        };
        if rest.iter().any(|r| *self.thing(*r) != Thing::Plain) {
            return Err(
                "it has storages that are parts of others; save it anew with a later PyTorch".to_owned(),
            );
        }
        let found = match (self.thing(*what), self.thing(*class), self.thing(*key)) {
            (Thing::Text("storage"), Thing::Class(Class::Storage(kind)), Thing::Text(key)) => Storage {
                kind: *kind,
                key,
                count: self.whole(*count)?,
            },
            _ => return Err(tied_up()),
        };
        self.push(Thing::Storage(found))
    }

    fn whole(&self, id: Id) -> Result<usize, String> {
        match self.thing(id) {
            Thing::Number(n) => usize::try_from(*n).map_err(|_| tied_up()),
            _ => Err(tied_up()),
        }
    }

    /// Whole numbers of a tuple.
    fn sides(&self, id: Id) -> Result<Vec<usize>, String> {
        match self.thing(id) {
            Thing::Tuple(items) if items.len() <= SIDES_MAX => items.iter().map(|i| self.whole(*i)).collect(),
            _ => Err(tied_up()),
        }
    }

    /// A call: of the two that are known.
    fn reduce(&mut self) -> Result<(), String> {
        let (given, class) = (self.pop()?, self.pop()?);
        let Thing::Tuple(given) = self.thing(given) else {
            return Err(tied_up());
        };
        let made = match (self.thing(class), &given[..]) {
            (Thing::Class(Class::OrderedDict), []) => Thing::Dict(Vec::new()),
            (Thing::Class(Class::Tensor), [storage, offset, shape, steps, ..]) => {
                let Thing::Storage(storage) = self.thing(*storage) else {
                    return Err(tied_up());
                };
                let (shape, steps) = (self.sides(*shape)?, self.sides(*steps)?);
                if shape.len() != steps.len() {
                    return Err(tied_up());
                }
                Thing::Tensor(Tensor {
                    storage: *storage,
                    offset: self.whole(*offset)?,
                    shape,
                    steps,
                })
            }
            _ => return Err(tied_up()),
        };
        self.push(made)
    }
}

/// What a name of Python's is for here; refused when it is for nothing.
fn known(module: &str, name: &str) -> Result<Class, String> {
    let storage = || Kind::of(name).filter(|_| module == "torch");
    match (module, name) {
        ("collections", "OrderedDict") => Ok(Class::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2") => Ok(Class::Tensor),
        _ => storage().map(Class::Storage).ok_or_else(|| {
            let named: String = format!("{module}.{name}")
                .chars()
                .filter(|c| !c.is_control())
                .take(100)
                .collect();
            format!(
                "its pickle asks Python for `{named}`, which may run code; weights alone need nothing of the kind, and nothing of it was run"
            )
        }),
    }
}
