use super::*;
use alloc::string::ToString;

#[test]
fn every_operation_parses_from_what_it_prints() {
    for op in Op::all() {
        assert_eq!(op.to_string().parse(), Ok(*op));
    }
}

#[test]
fn an_unknown_name_is_an_error_that_lists_the_known() {
    for wrong in ["", "Relu", "relu ", "rleu", "(slope=1)"] {
        let error = wrong.parse::<Op>().unwrap_err().to_string();
        let name = wrong.split('(').next().unwrap();
        assert!(error.contains(&alloc::format!("{name:?}")), "{error}");
        assert!(error.contains(" relu"), "{error}");
    }
}

#[test]
fn parameters_come_by_name_in_any_order() {
    let clip = |min, max| Op::Clip(Clip::new(min, max).unwrap());
    for (text, op) in [
        ("clip", clip(-1.0, 1.0)),
        ("clip(max=6)", clip(-1.0, 6.0)),
        ("clip(min=0,max=6)", clip(0.0, 6.0)),
        (
            "clip( max = 6e0 , min = -inf )",
            clip(f64::NEG_INFINITY, 6.0),
        ),
        (
            "leaky_relu(slope=0.2)",
            Op::LeakyRelu(LeakyRelu::new(0.2).unwrap()),
        ),
    ] {
        assert_eq!(text.parse(), Ok(op));
        assert_eq!(op.to_string().parse(), Ok(op));
    }
    assert_eq!(
        clip(f64::NEG_INFINITY, 0.1).to_string(),
        "clip(min=-inf, max=0.1)"
    );
}

/// Beyond 2^53 too, where an `f64` would round them.
#[test]
fn integers_come_back_to_the_last_digit() {
    let exact = |min: i64, max: u64| Op::Clip(Clip::exact(min, max).unwrap());
    for (text, op) in [
        ("clip(min=9007199254740993, max=9007199254740995)", {
            exact(9007199254740993, 9007199254740995)
        }),
        (
            "clip(min=-9223372036854775808, max=18446744073709551615)",
            { exact(i64::MIN, u64::MAX) },
        ),
        ("clip(min=-9223372036854775807, max=9223372036854775807)", {
            exact(-i64::MAX, i64::MAX as u64)
        }),
        ("clip(min=-6, max=9223372036854775808)", {
            Op::Clip(Clip::new(-6.0, 9223372036854775808.0).unwrap())
        }),
    ] {
        assert_eq!(text.parse(), Ok(op));
        assert_eq!(op.to_string(), text);
        assert_ne!(Op::Clip(Clip::default()), op);
    }
    let rounded: Op = "clip(min=9007199254740993, max=inf)".parse().unwrap();
    let clip = Clip::new(9007199254740992.0, f64::INFINITY).unwrap();
    assert_ne!(rounded, Op::Clip(clip));
}

#[test]
fn a_wrong_parameter_is_an_error_that_names_it() {
    for (text, parts) in [
        ("relu()", &["relu()", "no parameters"][..]),
        ("relu(x=1)", &["relu", "\"x\"", "none"]),
        ("clip(", &["clip(", "clip(min=-1, max=1)"]),
        ("clip()", &["clip()", "clip(min=-1, max=1)"]),
        ("clip(1)", &["clip(1)", "clip(min=-1, max=1)"]),
        ("clip(min=1", &["clip(min=1\""]),
        ("clip(min=1) ", &["clip(min=1) "]),
        ("clip(min=1,min=2)", &["clip(min=1,min=2)"]),
        ("clip(mim=1)", &["clip", "\"mim\"", "min max"]),
        ("clip(min=one)", &["clip", "min", "\"one\"", "not a number"]),
        ("clip(min=nan)", &["clip", "min is NaN", "a number"]),
        (
            "leaky_relu(slope=inf)",
            &["leaky_relu", "slope is inf", "finite"],
        ),
    ] {
        let error = text.parse::<Op>().unwrap_err().to_string();
        assert!(
            parts.iter().all(|part| error.contains(part)),
            "{text}: {error}"
        );
    }
}
