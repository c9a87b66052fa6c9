//! Categories by what somebody types of their names.

/// Whether every word of the query (in lower case) is in the name.
fn fits(name: &str, query: &str) -> bool {
    query.split_whitespace().all(|q| name.contains(q))
}

/// The places of the names that a query finds. The name itself comes first, else one that is the beginning of another could not be
/// picked by typing; then those that begin with the query.
pub fn by_name(names: &[&str], query: &str) -> Vec<usize> {
    let query = query.trim().to_lowercase();
    let lower = names.iter().map(|n| n.to_lowercase()).enumerate();
    let mut hits: Vec<(usize, String)> = lower.filter(|(_, name)| fits(name, &query)).collect();
    hits.sort_by_key(|(_, name)| (*name != query, !name.starts_with(&query)));
    hits.into_iter().map(|(n, _)| n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_itself_is_found_first() {
        let names = ["racing car", "Car wheel", "car", "cat"];
        assert_eq!(by_name(&names, " Car"), [2, 1, 0]);
        assert_eq!(by_name(&names, "whe ca"), [1]);
        assert!(by_name(&names, "dog").is_empty());
    }
}
