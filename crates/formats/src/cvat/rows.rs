//! CVAT's run lengths: along the rows of the window that encloses a mask, beginning with pixels that are not in it.

use limn_domain::Mask;
use limn_domain::mask::BITMAP_MAX;

/// The runs of a mask over its window, with commas between; `None` for one that is not sound or too large.
pub(super) fn write(mask: &Mask) -> Option<String> {
    let pixels = mask.pixels()?;
    let mut out = String::new();
    let (mut value, mut run) = (0, 0_u64);
    for p in &pixels {
        if *p != value {
            out.push_str(&run.to_string());
            out.push_str(", ");
            (value, run) = (*p, 0);
        }
        run += 1;
    }
    out.push_str(&run.to_string());
    Some(out)
}

/// The mask of such runs. `Err`: why there is none.
pub(super) fn read(text: &str, [x, y, width, height]: [u32; 4]) -> Result<Mask, &'static str> {
    let total = u64::from(width) * u64::from(height);
    if total == 0 || total > BITMAP_MAX {
        return Err("The mask's width and height must be from 1 pixel to some thousand.");
    }
    let mut pixels = vec![0_u8; total as usize];
    let (mut at, mut value) = (0_u64, 0_u8);
    for run in text.split(',') {
        let run: u64 = run
            .trim()
            .parse()
            .map_err(|_| "The mask's rle is no list of whole numbers.")?;
        let end = at.saturating_add(run);
        if end > total {
            return Err("The mask's runs cover more pixels than its width and height have.");
        }
        if value == 1 {
            pixels[at as usize..end as usize].fill(1);
        }
        (at, value) = (end, 1 - value);
    }
    if at != total {
        return Err("The mask's runs cover fewer pixels than its width and height have.");
    }
    Mask::from_pixels(x, y, width, height, &pixels).ok_or("The mask is empty, or reaches beyond any image.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_along_rows() {
        let mask = Mask::from_pixels(2, 3, 3, 2, &[0, 1, 1, 1, 0, 0]).unwrap();
        assert_eq!(write(&mask).unwrap(), "1, 3, 2");
        assert_eq!(read("1, 3, 2", [2, 3, 3, 2]).unwrap(), mask);
        assert_eq!(read("0,6", [2, 3, 3, 2]).unwrap().area(), 6);
        for bad in ["", "7", "1,2", "1,x", "6", "-1,7", "99999999999999999999"] {
            assert!(read(bad, [2, 3, 3, 2]).is_err(), "{bad}");
        }
        assert!(read("0,1", [0, 0, u32::MAX, u32::MAX]).is_err());
        assert!(read("0,1", [u32::MAX, 0, 1, 1]).is_err());
    }
}
