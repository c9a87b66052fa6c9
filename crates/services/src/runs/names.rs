//! Names for runs that were given none.

use rand::Rng as _;

const HOW: [&str; 32] = [
    "amber", "bold", "brisk", "calm", "clever", "crisp", "dapper", "eager", "fleet", "fond", "gentle",
    "glad", "hardy", "keen", "kind", "lively", "lucid", "merry", "mild", "neat", "nimble", "plucky", "proud",
    "quick", "quiet", "sage", "serene", "silver", "smart", "sunny", "swift", "wise",
];
const WHO: [&str; 32] = [
    "auk", "badger", "bee", "crane", "dove", "eel", "elk", "finch", "fox", "gull", "hare", "heron", "ibis",
    "jay", "kite", "lark", "lynx", "mole", "moth", "newt", "otter", "owl", "perch", "quail", "raven", "seal",
    "shrew", "stork", "swan", "toad", "vole", "wren",
];

/// Two words and a number.
pub(crate) fn make_up() -> String {
    let mut rng = rand::rng();
    let how = HOW[rng.random_range(0..HOW.len())];
    let who = WHO[rng.random_range(0..WHO.len())];
    format!("{how}-{who}-{}", rng.random_range(100..1000))
}
