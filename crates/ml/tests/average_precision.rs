//! COCO's figures against those of pycocotools 2.0 for the same boxes, which both sides make from the same seeds.

use limn_ml::{Found, Precision, Rng, Truth, average_precision};

/// What `COCOeval` printed for the seeds 1 to 6.
const PYCOCOTOOLS: [[f64; 12]; 6] = [
    [
        0.11979211807067941,
        0.2797434664230699,
        0.09149607637834611,
        0.030977941596255363,
        0.18137182933628976,
        0.5695473833097595,
        0.12327804551236606,
        0.29521669532558037,
        0.29521669532558037,
        0.0940126050420168,
        0.3256187343358396,
        0.6617424242424242,
    ],
    [
        0.1571593250031935,
        0.3224935784409192,
        0.14874147945625832,
        0.025406790679067905,
        0.23059812281533804,
        0.5969082979726543,
        0.157237714987715,
        0.32232268632268635,
        0.32232268632268635,
        0.09135708041958042,
        0.3949477498093059,
        0.6595238095238095,
    ],
    [
        0.15971236203414263,
        0.3921537432989407,
        0.10593150399410985,
        0.07926465624503626,
        0.2213641680531318,
        0.5773514851485149,
        0.1361221590909091,
        0.3209794372294372,
        0.3209794372294372,
        0.14676001082251083,
        0.39667919799498746,
        0.6,
    ],
    [
        0.1528951699046095,
        0.33180241202943045,
        0.11795890342913803,
        0.02812413324192088,
        0.2358061819381465,
        0.39056655665566553,
        0.13999846151599887,
        0.31054373242167116,
        0.31054373242167116,
        0.09484492481203008,
        0.397672754531825,
        0.4864285714285714,
    ],
    [
        0.17891275024518077,
        0.35251069190763534,
        0.15483518410317174,
        0.0357031335001632,
        0.2535001564463141,
        0.5911474540311175,
        0.1525505632360471,
        0.3319706861239119,
        0.3319706861239119,
        0.08165849673202615,
        0.36555163043478267,
        0.7109523809523809,
    ],
    [
        0.13448555431976655,
        0.31274205623608403,
        0.102508740405708,
        0.04953899854271141,
        0.20551067482579488,
        0.3905940594059406,
        0.14310004977600796,
        0.3080576759421314,
        0.3080576759421314,
        0.1229983660130719,
        0.3967162045528104,
        0.495892857142857,
    ],
];

fn case(seed: u64) -> (Vec<Truth>, Vec<Found>) {
    let mut r = Rng::new(seed);
    let (mut truths, mut found) = (Vec::new(), Vec::new());
    for image in 1..=30 {
        for _ in 0..r.below(12) {
            let (category, big) = (1 + r.below(4) as u64, 1 + r.below(3));
            let rect = [
                r.below(500),
                r.below(400),
                4 + r.below(60 * big),
                4 + r.below(50 * big),
            ]
            .map(|v| v as f64);
            let crowd = r.below(15) == 0;
            truths.push(Truth {
                image,
                category,
                rect,
                area: rect[2] * rect[3],
                crowd,
            });
            if r.below(4) == 0 {
                continue;
            }
            for _ in 0..=r.below(2) {
                let mut off = |n: usize, back: f64| r.below(n) as f64 - back;
                let near = [
                    rect[0] + off(13, 6.0),
                    rect[1] + off(13, 6.0),
                    (rect[2] + off(15, 7.0)).max(2.0),
                    (rect[3] + off(15, 7.0)).max(2.0),
                ];
                let category = if r.below(8) > 0 {
                    category
                } else {
                    1 + r.below(5) as u64
                };
                found.push(Found {
                    image,
                    category,
                    rect: near,
                    score: r.below(1000) as f64 / 1000.0,
                });
            }
        }
        for _ in 0..r.below(4) {
            found.push(Found {
                image,
                category: 1 + r.below(5) as u64,
                rect: [r.below(500), r.below(400), 4 + r.below(90), 4 + r.below(90)].map(|v| v as f64),
                score: r.below(1000) as f64 / 1000.0,
            });
        }
    }
    (truths, found)
}

fn listed(p: &Precision) -> [Option<f64>; 12] {
    [
        p.ap,
        p.ap50,
        p.ap75,
        p.ap_small,
        p.ap_medium,
        p.ap_large,
        p.ar1,
        p.ar10,
        p.ar100,
        p.ar_small,
        p.ar_medium,
        p.ar_large,
    ]
}

#[test]
fn figures_are_those_of_pycocotools() {
    for (seed, want) in (1..).zip(PYCOCOTOOLS) {
        let (truths, found) = case(seed);
        let got = listed(&average_precision(&truths, &found));
        for (n, (got, want)) in got.iter().zip(want).enumerate() {
            let got = got.unwrap_or(-1.0);
            assert!(
                (got - want).abs() < 1e-9,
                "seed {seed}, figure {n}: {got}, not {want}"
            );
        }
    }
}

#[test]
fn nothing_to_find_has_no_figure_and_the_truth_itself_is_right() {
    let (truths, found) = case(1);
    assert_eq!(average_precision(&[], &found), Precision::default());
    let plain: Vec<Truth> = truths.into_iter().filter(|t| !t.crowd).collect();
    let none = average_precision(&plain, &[]);
    assert_eq!((none.ap, none.ar100), (Some(0.0), Some(0.0)));
    let same: Vec<Found> = plain
        .iter()
        .map(|t| Found {
            image: t.image,
            category: t.category,
            rect: t.rect,
            score: 0.5,
        })
        .collect();
    let all = average_precision(&plain, &same);
    assert!(
        (all.ap.unwrap() - 1.0).abs() < 1e-9 && all.ar100 == Some(1.0),
        "{all:?}"
    );
}
