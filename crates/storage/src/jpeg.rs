//! Whether a JPEG is whole. Decoders fill a missing rest with grey and call it a success.

/// Walks the segments and the entropy-coded data up to the end marker. `false`: the file ends before it.
pub fn is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    let mut seen_scan = false;
    loop {
        // A marker may be padded by any number of 0xff.
        let Some(start) = find_marker(bytes, at) else {
            return false;
        };
        let marker = bytes[start];
        at = start + 1;
        match marker {
            0xd9 => return seen_scan,
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let Some(len) = bytes.get(at..at + 2) else {
                    return false;
                };
                at += usize::from(u16::from_be_bytes([len[0], len[1]])).max(2);
                seen_scan |= marker == 0xda;
            }
        }
    }
}

/// Index of the byte after 0xff of the next marker; passes over stuffed zeros in entropy-coded data.
fn find_marker(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|b| *b == 0xff)?;
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        if bytes[at] != 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn needs_the_end_marker_after_a_scan() {
        let whole = [
            0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 0xff, 0, 3, 0xff, 0xd0, 9, 0xff, 0xff, 0xd9,
        ];
        assert!(is_complete(&whole));
        for n in 0..whole.len() {
            assert!(!is_complete(&whole[..n]), "{n}");
        }
        // An end marker inside an embedded preview does not count.
        assert!(!is_complete(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9]));
    }
}
