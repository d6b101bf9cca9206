use super::*;
use flukeprint_core::metrics::roc_area;
use proptest::prelude::*;

use Label::{Individual as Whale, New};

fn of_mean(queries: &[(Label, f64)]) -> Interval {
    let queries: Vec<(Label, [f64; 1])> = queries.iter().map(|&(whale, v)| (whale, [v])).collect();
    Bootstrap::default().means(&queries).unwrap()[0]
}

/// So many queries of each of so many whales; the first half of the whales hits.
fn half_hits(whales: u32, each: u32, label: impl Fn(u32) -> Label) -> Vec<(Label, f64)> {
    let whale = |whale| {
        let hit = f64::from(u8::from(whale < whales / 2));
        (0..each).map(move |_| (whale, hit))
    };
    let queries = (0..whales).flat_map(whale);
    queries.map(|(whale, hit)| (label(whale), hit)).collect()
}

#[test]
fn without_queries_there_is_none() {
    assert_eq!(Bootstrap::default().means::<1>(&[]), None);
    assert_eq!(Bootstrap::default().roc_area(&[]), None);
}

#[test]
fn equal_outcomes_and_a_single_whale_have_no_width() {
    let point = |at| Interval { low: at, high: at };
    assert_eq!(
        of_mean(&[(Whale(0), 1.0), (Whale(1), 1.0), (New, 1.0)]),
        point(1.0)
    );
    let one = [
        (Whale(4), 1.0),
        (Whale(4), 0.0),
        (Whale(4), 0.0),
        (Whale(4), 0.0),
    ];
    assert_eq!(of_mean(&one), point(0.25));
    assert_eq!(of_mean(&[(New, 0.5)]), point(0.5));
}

#[test]
fn two_whales_of_which_one_is_always_missed_say_nothing() {
    // Both draws are the same whale in a quarter of the cases each: far more than 2.5 %.
    let wide = Interval {
        low: 0.0,
        high: 1.0,
    };
    assert_eq!(of_mean(&[(Whale(0), 1.0), (Whale(1), 0.0)]), wide);
    // The mean is of queries, not of whales.
    let queries = [
        (Whale(0), 1.0),
        (Whale(1), 0.0),
        (Whale(1), 0.0),
        (Whale(2), 0.0),
    ];
    let draws = Bootstrap {
        percent: 0,
        ..Bootstrap::default()
    };
    let middle = draws
        .means(&queries.map(|(whale, v)| (whale, [v])))
        .unwrap()[0];
    // 0 in 8 of 27 draws, 1/5 in 3, 1/4 in 6; over whales the middle would be 1/3.
    assert_eq!(
        middle,
        Interval {
            low: 0.25,
            high: 0.25
        }
    );
}

#[test]
fn the_width_is_that_of_whales_and_not_of_photos() {
    // 0.5 +- 1.96 · sqrt(0.25 / n), n = 100 and n = 400.
    let (hundred, four_hundred) = (0.098, 0.049);
    let is_about = |found: Interval, half: f64| {
        let ends = [0.5 - half, 0.5 + half]
            .into_iter()
            .zip([found.low, found.high]);
        ends.for_each(|(wanted, end)| assert!((wanted - end).abs() < 0.015, "{found:?}"));
    };
    is_about(of_mean(&half_hits(100, 1, Whale)), hundred);
    is_about(of_mean(&half_hits(100, 4, Whale)), hundred);
    is_about(of_mean(&half_hits(400, 1, Whale)), four_hundred);
    is_about(of_mean(&half_hits(100, 4, |_| New)), four_hundred);
}

#[test]
fn most_intervals_hold_the_truth_though_photos_of_a_whale_are_alike() {
    // 60 whales of five photos; whale by whale all are hits or none is, with probability 0.3.
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let held = (0..200).filter(|_| {
        let whale = |whale| (whale, f64::from(u8::from(rng.random_bool(0.3))));
        let whales: Vec<(u32, f64)> = (0..60).map(whale).collect();
        let photos = whales
            .iter()
            .flat_map(|&(whale, hit)| [(Whale(whale), hit); 5]);
        let found = of_mean(&photos.collect::<Vec<_>>());
        (found.low..=found.high).contains(&0.3)
    });
    // Binomial with n = 200, p = 0.95: 190 with a deviation of 3.1. Over photos it would be about 60 %.
    let held = held.count();
    assert!((178..=199).contains(&held), "{held}");
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let queries = half_hits(30, 2, Whale);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| of_mean(&queries))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn seeds_draw_other_whales() {
    let queries: Vec<(Label, [f64; 1])> = (0..50).map(|i| (Whale(i), [f64::from(i * i)])).collect();
    let with = |seed| {
        Bootstrap {
            seed,
            ..Bootstrap::default()
        }
        .means(&queries)
    };
    assert_eq!(with(3), with(3));
    assert_ne!(with(3), with(4));
}

#[test]
fn the_area_of_a_perfect_and_of_a_blind_score_has_no_width() {
    let perfect = [
        (Whale(0), -1.0),
        (Whale(0), -0.5),
        (Whale(1), -2.0),
        (New, 1.0),
        (New, 0.5),
    ];
    let area = |queries: &[(Label, f32)]| Bootstrap::default().roc_area(queries);
    assert_eq!(
        area(&perfect),
        Some(Interval {
            low: 1.0,
            high: 1.0
        })
    );
    let blind = perfect.map(|(whale, _)| (whale, 0.0));
    assert_eq!(
        area(&blind),
        Some(Interval {
            low: 0.5,
            high: 0.5
        })
    );
    assert_eq!(area(&perfect[..3]), None);
    assert_eq!(area(&perfect[3..]), None);
}

#[test]
fn the_weighted_area_is_that_of_the_repeated_queries() {
    // Whales 0 and 1 are known, 2 and 3 new; whale 1 is drawn twice and whale 3 three times.
    let by_score = [(-1.0, 0), (0.0, 1), (0.0, 2), (1.0, 3), (2.0, 1)];
    let wanted = roc_area(&[1.0; 3], &[0.0, 0.0, 2.0, 2.0]).unwrap();
    assert_eq!(weighted_area(&by_score, &[0, 2, 0, 3], 2), wanted);
}

fn query() -> impl Strategy<Value = (Label, f64)> {
    let whale = prop_oneof![(0u32..9).prop_map(Whale), Just(New)];
    (
        whale,
        (0u8..=5).prop_map(|rank| {
            if rank == 0 {
                0.0
            } else {
                1.0 / f64::from(rank)
            }
        }),
    )
}

proptest! {
    // A draw's mean is at least the estimate where the sum of the whales' deviations from it is not
    // negative; that sum has mean zero, so neither case is rare.
    #[test]
    fn the_estimate_is_inside_and_the_interval_within_the_values(
        queries in prop::collection::vec(query(), 1..40),
    ) {
        let Interval { low, high } = of_mean(&queries);
        let values = || queries.iter().map(|&(_, value)| value);
        let mean = values().sum::<f64>() / queries.len() as f64;
        prop_assert!(low <= mean + 1e-12 && mean <= high + 1e-12, "{low} {mean} {high}");
        let least = values().fold(f64::INFINITY, f64::min);
        let most = values().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(least <= low + 1e-12 && high <= most + 1e-12);
    }

    #[test]
    fn the_order_of_the_queries_does_not_matter(
        (queries, shuffled) in prop::collection::vec(query(), 2..40)
            .prop_flat_map(|queries| (Just(queries.clone()), Just(queries).prop_shuffle())),
    ) {
        prop_assert_eq!(of_mean(&queries), of_mean(&shuffled));
        let area = |queries: &[(Label, f64)]| {
            let scores: Vec<(Label, f32)> =
                queries.iter().map(|&(whale, value)| (whale, value as f32)).collect();
            Bootstrap::default().roc_area(&scores)
        };
        prop_assert_eq!(area(&queries), area(&shuffled));
    }

    #[test]
    fn the_area_itself_is_inside_its_interval(queries in prop::collection::vec(query(), 2..40)) {
        let scores: Vec<(Label, f32)> =
            queries.iter().map(|&(whale, value)| (whale, value as f32)).collect();
        let of = |new: bool| -> Vec<f32> {
            let of_kind = scores.iter().filter(|(whale, _)| (*whale == New) == new);
            of_kind.map(|&(_, score)| score).collect()
        };
        let area = roc_area(&of(true), &of(false)).ok();
        let interval = Bootstrap::default().roc_area(&scores);
        prop_assert_eq!(area.is_some(), interval.is_some());
        if let (Some(area), Some(Interval { low, high })) = (area, interval) {
            prop_assert!(low <= area + 1e-12 && area <= high + 1e-12, "{low} {area} {high}");
        }
    }
}
