//! Dotted keys of settings.

use super::shape::{self, Fields, Form, Setting, Shape};
use std::sync::LazyLock;

/// All settings' dotted keys, `N` for the place in a list.
pub(super) fn paths() -> &'static [String] {
    static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut found = Vec::new();
        collect("", shape::task(), &mut |path, _| {
            if !found.iter().any(|known| known == path) {
                found.push(path.to_owned());
            }
        });
        found
    });
    &PATHS
}

/// Shows `each` every setting below one, with its dotted key.
fn collect(path: &str, setting: &Setting, each: &mut impl FnMut(&str, &Setting)) {
    let mut fields = |fields: &Fields| {
        for (name, setting) in fields {
            let key = below(path, name);
            each(&key, setting);
            collect(&key, setting, each);
        }
    };
    match &setting.shape {
        Shape::Table(all) => fields(all),
        Shape::Kinds { kinds, .. } => kinds.iter().for_each(|kind| fields(&kind.fields)),
        Shape::Forms(forms) => {
            for Form { name, inside, .. } in forms {
                if let Some(setting) = inside {
                    let key = below(path, name);
                    each(&key, setting);
                    collect(&key, setting, each);
                }
            }
        }
        Shape::List { of, .. } => collect(&below(path, "N"), of, each),
        Shape::Map(entry) => collect(&below(path, "NAME"), entry, each),
        Shape::Either(all) => all.iter().for_each(|setting| collect(path, setting, each)),
        _ => {}
    }
}

/// The key of what is called `name` below another.
pub(super) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
