use super::*;
fn nums(s: &str) -> Vec<f64> { s.split(' ').map(|v| v.parse().unwrap()).collect() }
fn ring(s: &str) -> Vec<[f64; 2]> { nums(s).chunks(2).map(|c| [c[0], c[1]]).collect() }
#[test]
fn peer() {
    let text = std::fs::read_to_string("/tmp/polys.txt").unwrap();
    let mut bad = 0;
    for line in text.lines() {
        let f: Vec<_> = line.split('|').collect();
        let wh = nums(f[0]);
        let r = ring(f[1]);
        let want: Vec<u64> = f[2].split(' ').map(|v| v.parse().unwrap()).collect();
        let got = rasterise(&r, wh[0] as u32, wh[1] as u32).unwrap();
        if got != want { bad += 1; println!("{line}\n{got:?}"); }
        assert_eq!(encode_counts(&got), f[3]);
        assert_eq!(decode_counts(f[3]).unwrap(), want);
        let m = Mask::from_polygon(&[vec![r]], Size{width: wh[0], height: wh[1]});
        let area: u64 = f[4].parse().unwrap();
        assert_eq!(m.as_ref().map_or(0, Mask::area), area);
        if let Some(m) = m { let b = nums(f[5]); let w = m.window(); 
            let cb = counts_bounds(&want, wh[1] as u64).unwrap();
            assert_eq!([cb.x,cb.y,cb.w,cb.h], [b[0],b[1],b[2],b[3]]);
            let _ = w; 
            assert_eq!(m.full_counts(wh[0] as u32, wh[1] as u32), want);
            assert_eq!(Mask::from_runs(wh[0] as u32, wh[1] as u32, &want).unwrap(), m);
        }
    }
    assert_eq!(bad, 0);
    let image = Size { width: 100.0, height: 80.0 };
    for line in std::fs::read_to_string("/tmp/pairs.txt").unwrap().lines() {
        let f: Vec<_> = line.split('|').collect();
        let rings: Vec<_> = f[0].split(';').map(ring).collect();
        let u = Mask::from_rings(rings.iter().map(|r| r.as_slice()), image).unwrap();
        assert_eq!(u.full_text(100, 80), f[1]);
        assert_eq!(u.area(), f[2].parse::<u64>().unwrap());
        let m: Vec<_> = rings.iter().map(|r| Mask::from_polygon(&[vec![r.clone()]], image).unwrap()).collect();
        let i = m[0].intersect(&m[1]).map_or(0, |m| m.area());
        assert_eq!(i, f[3].parse::<u64>().unwrap());
        let iou = i as f64 / m[0].union(&m[1]).unwrap().area() as f64;
        assert!((iou - f[4].parse::<f64>().unwrap()).abs() < 1e-12);
        let folded = m.iter().skip(1).fold(m[0].clone(), |a, b| a.union(b).unwrap());
        assert_eq!(folded, u);
    }
}
