//! What a user of keypoint files relies on.

use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::*;

fn keypoint() -> impl Strategy<Value = Keypoint> {
    let shape = prop::array::uniform4(-60.0f32..60.0);
    (-30.0f32..430.0, -20.0f32..220.0, shape, 0.0f32..5000.0).prop_map(|(x, y, shape, response)| {
        Keypoint {
            frame: Frame {
                center: [x, y],
                shape,
            },
            response,
        }
    })
}

fn features(most: usize) -> impl Strategy<Value = Features> {
    (prop::collection::vec(keypoint(), 0..=most), any::<u8>()).prop_map(|(keypoints, seed)| {
        Features {
            size: [400, 200],
            descriptors: (0..keypoints.len() * DESCRIPTOR)
                .map(|i| (i * 37 + usize::from(seed)) as i8)
                .collect(),
            keypoints,
        }
    })
}

fn refusal(bytes: &[u8]) -> String {
    decode("photo7.keys", bytes).unwrap_err().to_string()
}

#[test]
fn a_full_file_is_no_larger_than_said_and_keeps_the_strongest() {
    let keypoint = Keypoint {
        frame: Frame {
            center: [1.0, 2.0],
            shape: [3.0, 0.0, 0.0, 3.0],
        },
        response: 1.0,
    };
    let many = Features {
        size: [352, 176],
        keypoints: (0..500)
            .map(|i| Keypoint {
                response: (500 - i) as f32,
                ..keypoint
            })
            .collect(),
        descriptors: vec![5; 500 * DESCRIPTOR],
    };
    let bytes = encode(&many);
    assert!(bytes.len() <= 49_152, "{}", bytes.len());
    let back = decode("a", &bytes).unwrap();
    assert_eq!(back.keypoints.len(), 345);
    assert_eq!(back.keypoints[0].response, 500.0);
    assert_eq!(back.descriptors.len(), 345 * DESCRIPTOR);
}

#[test]
fn what_is_wrong_is_said_of_the_file() {
    let good = encode(&Features {
        size: [10, 10],
        ..Features::default()
    });
    assert!(decode("photo7.keys", &good).is_ok());
    for bytes in [
        &b""[..],
        b"FLUKE",
        b"\x89PNG\r\n\x1a\n and more than enough bytes",
    ] {
        assert_eq!(
            refusal(bytes),
            "photo7.keys: this is not a file of keypoints"
        );
    }
    let mut newer = good.clone();
    newer[8] = 2;
    assert!(refusal(&newer).contains("version is 2"));
    let mut longer = good;
    longer.push(0);
    assert!(refusal(&longer).contains("29 bytes, 0 keypoints take 28"));
}

proptest! {
    #[test]
    fn what_a_file_kept_is_kept_as_it_is(features in features(40)) {
        let once = kept(&features).unwrap();
        prop_assert_eq!(encode(&once), encode(&features));
        prop_assert_eq!(kept(&once).unwrap(), once);
    }

    #[test]
    fn what_is_written_is_read(features in features(40)) {
        let bytes = encode(&features);
        let back = decode("a", &bytes).unwrap();
        prop_assert_eq!(back.size, features.size);
        prop_assert_eq!(&back.descriptors, &features.descriptors);
        prop_assert_eq!(back.keypoints.len(), features.keypoints.len());
        for (read, written) in back.keypoints.iter().zip(&features.keypoints) {
            for (read, written) in read.frame.center.iter().zip(written.frame.center) {
                prop_assert!((read - written).abs() < 0.01);
            }
            for (read, written) in read.frame.shape.iter().zip(written.frame.shape) {
                prop_assert!((read - written).abs() <= written.abs() / 2000.0 + 1e-6);
            }
        }
        prop_assert_eq!(encode(&back), bytes);
    }

    #[test]
    fn a_file_cut_short_is_refused(features in features(6), share in 0.0f64..1.0) {
        let bytes = encode(&features);
        let cut = (bytes.len() as f64 * share) as usize;
        prop_assert!(refusal(&bytes[..cut]).starts_with("photo7.keys: "));
    }

    #[test]
    fn a_changed_byte_is_noticed(features in features(6), place in 0.0f64..1.0, flip in 1_u8..) {
        let mut bytes = encode(&features);
        let place = (bytes.len() as f64 * place) as usize;
        bytes[place] ^= flip;
        prop_assert!(refusal(&bytes).starts_with("photo7.keys: "));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode("a", &bytes);
        let mut headed = MAGIC.to_vec();
        headed.extend(bytes);
        prop_assert!(decode("a", &headed).is_err());
    }
}
