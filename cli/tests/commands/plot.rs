//! `halfwave plot`, from the command line to the picture.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::Output;

use crate::{halfwave, text};
use tempfile::tempdir;

fn plot(folder: &Path, args: &[&str]) -> Output {
    halfwave(folder, &[&["plot"], args].concat())
}

#[track_caller]
fn svg(args: &[&str]) -> String {
    let folder = tempdir().unwrap();
    let out = plot(folder.path(), &[args, &["-o", "y.svg"]].concat());
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("y.svg"));
    fs::read_to_string(folder.path().join("y.svg")).unwrap()
}

const BLUE: &str = "#0072B2";
const ORANGE: &str = "#D55E00";

/// The corners of each line of `color` that is thicker than a grid line, in pixels.
fn lines(svg: &str, color: &str) -> Vec<Vec<(f64, f64)>> {
    let ours = |line: &&str| line.starts_with("<polyline") && line.contains(color);
    let points = |line: &str| -> Vec<(f64, f64)> {
        let list = line.split("points=\"").nth(1).unwrap();
        let list = list.split('"').next().unwrap();
        let pair = |pair: &str| {
            let (x, y) = pair.split_once(',').unwrap();
            let pixel = |units: &str| units.parse::<f64>().unwrap() / 16.0;
            (pixel(x), pixel(y))
        };
        list.split_whitespace().map(pair).collect()
    };
    svg.lines().filter(ours).map(points).collect()
}

fn count(svg: &str, tag: &str, color: &str) -> usize {
    let ours = |line: &&str| line.starts_with(tag) && line.contains(color);
    svg.lines().filter(ours).count()
}

#[test]
fn relu_is_flat_then_rises_under_its_title() {
    let svg = svg(&["relu"]);
    assert!(svg.starts_with("<svg width=\"800\" height=\"600\""));
    assert!(svg.contains("relu(x) = max(x, 0)"));
    let lines = lines(&svg, BLUE);
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    let [(x0, y0), (x1, y1), (x2, y2)] = line[..] else {
        panic!("{line:?}")
    };
    assert_eq!(y0, y1);
    assert!(y2 < y1 - 300.0, "y points down in pictures: {line:?}");
    assert!(
        ((x2 - x1) - (x1 - x0)).abs() < 1.0,
        "the corner is at 0: {line:?}"
    );
}

#[test]
fn the_range_moves_the_corner() {
    for range in ["-1..3", "-1,3", "-1.0..3e0"] {
        let svg = svg(&["relu", "--range", range, "--size", "400x300"]);
        let line = &lines(&svg, BLUE)[0];
        let part = (line[1].0 - line[0].0) / (line[2].0 - line[0].0);
        assert!((part - 0.25).abs() < 0.01, "{line:?}");
    }
}

#[test]
fn the_derivative_is_dashed_and_zero_at_zero() {
    let without = svg(&["relu"]);
    assert_eq!(
        lines(&without, ORANGE).len() + count(&without, "<circle", ORANGE),
        0
    );
    let svg = svg(&["relu", "--derivative"]);
    assert!(svg.contains("relu′(x)"));
    assert_eq!(
        lines(&svg, BLUE).len(),
        2,
        "the curve and its sample in the legend"
    );
    let dashes = lines(&svg, ORANGE);
    assert!(dashes.len() > 40, "{dashes:?}");

    // The filled dot at 0 lies on the flat part of relu; the ring above it.
    let corner = lines(&svg, BLUE)
        .into_iter()
        .find(|l| l.len() == 3)
        .unwrap()[1];
    let dots: Vec<&str> = svg.lines().filter(|l| l.starts_with("<circle")).collect();
    let at = |(x, y): (f64, f64)| format!("cx=\"{}\" cy=\"{}\"", x * 16.0, y * 16.0);
    assert_eq!(dots.len(), 3, "a dot, and a ring made of two: {dots:?}");
    assert!(
        dots[2].contains(&at(corner)) && dots[2].contains(ORANGE),
        "{dots:?}"
    );
    assert!(!dots[0].contains(&at(corner)), "{dots:?}");
    assert!(dots[1].contains("#FFFFFF"), "{dots:?}");
}

#[test]
fn a_step_is_two_lines_a_dot_and_a_ring() {
    let svg = svg(&["step"]);
    let lines = lines(&svg, BLUE);
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(line[0].1, line[1].1, "flat: {line:?}");
    }
    assert_eq!(lines[0][1].0, lines[1][0].0, "they meet at 0");
    assert_eq!(
        (
            count(&svg, "<circle", BLUE),
            count(&svg, "<circle", "#FFFFFF")
        ),
        (2, 1)
    );
}

#[test]
fn parameters_are_in_the_title_and_in_the_legend() {
    let alone = svg(&["leaky_relu(slope=0.2)", "--derivative"]);
    assert!(
        alone.contains("leaky_relu(x) = x &lt; 0 ? slope·x : x  (slope=0.2)"),
        "{alone}"
    );
    assert!(alone.contains("leaky_relu′(x)"));
    let both = svg(&[
        "leaky_relu(slope=0.2)",
        "leaky_relu(slope=0.4)",
        "--derivative",
    ]);
    for slope in ["(slope=0.2)", "(slope=0.4)"] {
        assert_eq!(both.matches(slope).count(), 2, "{slope}");
    }
    let rounded = svg(&["rrelu"]);
    assert!(rounded.contains("(lower=0.125, upper=0.333333)"));
}

#[test]
fn the_default_range_shows_every_corner() {
    let (relu, relu6) = (svg(&["relu"]), svg(&["relu6"]));
    assert!(
        !relu.contains(">\n8\n<") && relu6.contains(">\n8\n<"),
        "{relu6}"
    );
    assert_eq!(lines(&relu6, BLUE)[0].len(), 4);
}

#[test]
fn points_are_drawn_against_their_index() {
    let svg = svg(&["relu", "--points=-10,-5,0,5,10"]);
    let lines = lines(&svg, BLUE);
    assert_eq!((lines.len(), count(&svg, "<circle", BLUE)), (1, 5));
    let line = &lines[0];
    assert_eq!((line[0].1, line[1].1), (line[2].1, line[2].1));
    let step = line[2].1 - line[3].1;
    assert!(
        step > 100.0 && (line[3].1 - line[4].1 - step).abs() < 0.2,
        "{line:?}"
    );
}

#[test]
fn two_operations_are_two_lines_with_two_names() {
    let svg = svg(&["relu", "relu"]);
    let of_three = |color| lines(&svg, color).iter().filter(|l| l.len() == 3).count();
    assert_eq!((of_three(BLUE), of_three(ORANGE)), (1, 1));
    assert_eq!(svg.matches("relu(x) = max(x, 0)").count(), 2);
}

#[test]
fn a_png_shows_the_curve_where_it_should_be() {
    let folder = tempdir().unwrap();
    let args = ["relu", "-o", "y.png", "--size", "640x480"];
    let out = plot(folder.path(), &args);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let file = BufReader::new(File::open(folder.path().join("y.png")).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!((info.width, info.height), (640, 480));
    assert_eq!(rgb.len(), 640 * 480 * 3);
    let blue: Vec<(usize, usize)> = rgb
        .chunks(3)
        .enumerate()
        .filter(|(_, p)| p[0] < 60 && (80..150).contains(&p[1]) && p[2] > 140)
        .map(|(i, _)| (i % 640, i / 640))
        .collect();
    assert!(blue.len() > 500, "{}", blue.len());
    // Left half at the bottom; the far right at the top.
    assert!(blue.iter().all(|&(x, y)| x > 320 || y > 380));
    assert!(blue.iter().any(|&(x, y)| x > 600 && y < 100));
}

#[test]
fn without_a_name_the_picture_is_named_for_its_operations_and_replaces_nothing() {
    let folder = tempdir().unwrap();
    assert!(plot(folder.path(), &["relu"]).status.success());
    let before = fs::read(folder.path().join("relu.svg")).unwrap();
    assert!(before.starts_with(b"<svg"));
    let out = plot(folder.path(), &["relu", "--range=0..1"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        text(&out.stderr).contains("-o relu.svg"),
        "{}",
        text(&out.stderr)
    );
    assert_eq!(fs::read(folder.path().join("relu.svg")).unwrap(), before);
    assert!(
        plot(folder.path(), &["relu", "--range=0..1", "-o", "relu.svg"])
            .status
            .success()
    );
    assert_ne!(fs::read(folder.path().join("relu.svg")).unwrap(), before);
}

#[track_caller]
fn refused(args: &[&str], reasons: &[&str]) {
    crate::refused("plot", args, reasons);
}

#[test]
fn bad_arguments_are_refused_by_value_and_remedy() {
    refused(&["rleu"], &["\"rleu\"", "relu"]);
    refused(&[], &["<OP>"]);
    refused(&["relu", "--range=5"], &["'5'", "-5..5"]);
    refused(&["relu", "--range=5..-5"], &["-5 is not above 5"]);
    refused(&["relu", "--range=a..1"], &["\"a\"", "number"]);
    refused(&["relu", "--range=0..inf"], &["\"inf\"", "finite"]);
    refused(&["relu", "--range=1e9..1000000001"], &["narrow", "1e3"]);
    refused(&["relu", "--range=0..1e300"], &["1e100"]);
    refused(&["relu", "--size", "800"], &["'800'", "800x600"]);
    refused(&["relu", "--size", "800x100000"], &["4096"]);
    refused(&["relu", "--points=1,x"], &["\"x\""]);
    refused(
        &["relu", "--points=1,2", "--derivative"],
        &["--points", "--derivative"],
    );
}

#[test]
fn a_place_that_cannot_be_written_is_refused() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("d.svg")).unwrap();
    for (name, reasons) in [
        ("y.jpg", ["\"jpg\"", ".png"]),
        ("y", ["y: ", ".svg"]),
        ("no/y.svg", ["no/y.svg", "create"]),
        ("d.svg", ["d.svg", "directory"]),
    ] {
        let out = plot(folder.path(), &["relu", "-o", name]);
        assert_eq!(out.status.code(), Some(1));
        for reason in reasons {
            assert!(text(&out.stderr).contains(reason), "{}", text(&out.stderr));
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_refuses_new_files_is_named() {
    // Not even root may create files here.
    let out = plot(Path::new("/proc"), &["relu", "-o", "y.svg"]);
    assert_eq!(out.status.code(), Some(1));
    let error = text(&out.stderr);
    assert!(
        error.contains("y.svg: no temporary file can be created"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_picture_goes_through_links_and_replaces_nothing_that_is_read_only() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("sub")).unwrap();
    symlink("sub/real.svg", at("y.svg")).unwrap();
    for before in [None, Some("an older one")] {
        if let Some(before) = before {
            fs::write(at("sub/real.svg"), before).unwrap();
        }
        let out = plot(folder.path(), &["relu", "-o", "y.svg"]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        assert!(at("y.svg").is_symlink());
        assert!(fs::read(at("sub/real.svg")).unwrap().starts_with(b"<svg"));
    }
    fs::write(at("sub/real.svg"), "mine").unwrap();
    fs::set_permissions(at("sub/real.svg"), fs::Permissions::from_mode(0o444)).unwrap();
    let out = plot(folder.path(), &["relu", "-o", "y.svg"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("y.svg: it is read-only"));
    assert_eq!(fs::read(at("sub/real.svg")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(at("sub")).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_picture_has_the_permissions_of_any_new_file_or_of_the_one_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let mode = |name: &str| {
        let metadata = fs::metadata(folder.path().join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    fs::write(folder.path().join("any"), "").unwrap();
    plot(folder.path(), &["relu", "-o", "y.svg"]);
    assert_eq!(mode("y.svg"), mode("any"));
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(folder.path().join("y.svg"), private).unwrap();
    plot(folder.path(), &["relu", "-o", "y.svg"]);
    assert_eq!(mode("y.svg"), 0o600);
}
