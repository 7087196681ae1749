//! What is wrong with a file is told with its place in the file.

#![cfg(feature = "file")]

use barnowl_model::Model;

/// A file whose lines are numbered in the messages below.
const FILE: &str = r#"name = "lif"
equations = """
u = alpha*u' + I - theta*s'
s = spike(u - theta)
"""
[constants]
alpha = "exp(-dt/tau_m)"
[parameters.tau_m]
start = { normal = [20, 5] }
[parameters.theta]
trained = false
start = 1
[values.u]
rest = "0"
"#;

#[test]
fn messages_point_into_the_file() {
    Model::from_toml(FILE).expect("a right file");
    let of = |from: &str, to: &str| {
        assert!(FILE.contains(from));
        match Model::from_toml(&FILE.replace(from, to)) {
            Ok(_) => panic!("a file that is wrong was read"),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(
        of("alpha*u'", "alhpa*u'"),
        "line 3, column 5: `alhpa` is not known; did you mean `alpha`?"
    );
    assert_eq!(
        of("-dt/tau_m", "-dt/tau"),
        "line 7, column 18: `tau` is not known; did you mean `tau_m`?"
    );
    assert_eq!(
        of("start = 1", "start = 1\nrange = [2, 3]"),
        "line 10, column 13: `theta` starts at 1, which leaves its range, 2 to 3"
    );
    assert_eq!(of("rest = \"0\"", "rest = \"1/0\""), "line 14, column 10: a division by zero");
    assert_eq!(
        of("[parameters.theta]", "[parameters.I]"),
        "line 10, column 13: the name `I` is taken: it is the input current"
    );
    let unknown = of("trained = ", "triained = ");
    assert_eq!(unknown, "line 11, column 1: unknown field `triained`; did you mean `trained`?");
    let wrong = of("trained = false", "transform = \"lgo\"");
    assert_eq!(wrong, "line 11, column 13: unknown variant `lgo`; did you mean `log`?");
    let start = of("normal", "norml");
    assert!(start.contains("expected a number, { uniform = [from, to] }"), "{start}");
    assert!(of("name = \"lif\"", "").contains("missing field `name`"));
    assert!(of("[constants]", "[constants").starts_with("line 6, column"));
}
