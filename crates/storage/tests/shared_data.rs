//! The sets of real pictures, where a developer has them; skipped elsewhere.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use limn_storage::{ImageLimits, Source, decode};
use std::path::Path;

#[test]
fn real_photos_decode() {
    let Some(root) = std::env::var_os("LIMN_SHARED_DATA") else {
        return;
    };
    let mut turned = 0;
    let mut seen = 0;
    for folder in ["raccoon/images", "camvid/train"] {
        for file in std::fs::read_dir(Path::new(&root).join(folder)).unwrap() {
            let path = file.unwrap().path();
            match decode(&Source::File(path.clone()), &ImageLimits::default()) {
                Ok(d) => {
                    seen += 1;
                    turned += usize::from(d.info.orientation > 1);
                }
                Err(e) => println!("`{}`: {e}", path.display()),
            }
        }
    }
    println!("{seen} pictures, {turned} with an orientation");
    assert!(seen >= 259);
}
