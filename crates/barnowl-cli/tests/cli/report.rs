//! `barnowl report` from outside: one file that stands alone, figures beside it, and what it refuses.

use super::{barnowl, folder, json, refuses, succeeds, train};

#[test]
fn a_report_stands_alone() {
    let temp = folder();
    let runs = ["1", "2"].map(|seed| {
        let out = temp.path().join(format!("run-{seed}"));
        succeeds(train(&out, &["--epochs", "2", "--seed", seed]));
        out
    });
    let page = temp.path().join("page.html");
    let mut report = barnowl(&["report", "--json", "--out"]);
    report.arg(&page).args(&runs).arg("--figures").arg(temp.path().join("figures"));
    let result = json(&succeeds(report));
    let text = std::fs::read_to_string(&page).unwrap();
    assert_eq!(result["bytes"], text.len());
    // Nothing is fetched: the only addresses are the names of SVG's vocabulary.
    let addresses = text.matches("http").count();
    assert_eq!(addresses, text.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    assert!(!text.contains("<script") && !text.contains("<link") && !text.contains("NaN"));
    assert_eq!(text.matches("<svg").count(), text.matches("</svg>").count());
    for part in ["run-1", "run-2", "95 % interval", "mean ± s.d.", "[network.readout]", "seed 2"] {
        assert!(text.contains(part), "{part}");
    }
    for name in ["curves", "raster", "traces", "confusion", "time_constants"] {
        assert!(temp.path().join(format!("figures/run-2-{name}.svg")).is_file(), "{name}");
    }

    let mut alone = barnowl(&["report"]);
    alone.arg(&runs[0]);
    succeeds(alone);
    let text = std::fs::read_to_string(runs[0].join("report.html")).unwrap();
    assert!(!text.contains("mean ± s.d."));
    assert!(!runs[0].join("traces.svg").exists(), "only the page is written");
}

#[test]
fn a_report_of_nothing_is_refused() {
    let temp = folder();
    let mut report = barnowl(&["report"]);
    report.arg(temp.path());
    refuses(report, &["holds no run"]);
}
