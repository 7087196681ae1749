//! Neuron models in TOML; what is written of the equations of one is read again, and small ones are tried.

#![no_main]

use barnowl_model::{Definition, Model, Source, Text, Variant};
use libfuzzer_sys::fuzz_target;

/// Trials of more operations a step would take most of the time.
const TRIED: usize = 64;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(source) = Source::from_toml(text) else { return };
    let Ok(model) = Model::build(source.clone()) else { return };
    for name in source.variant_names() {
        // A model is right only if all its variants are.
        let variant = Model::build_variant(source.clone(), name);
        written(&variant.expect("a variant of a right model"));
    }
    written(&model);
    if model.step().ops().len() <= TRIED {
        let _ = model.check();
    }
});

/// Reads the equations again as the program has them.
fn written(model: &Model) {
    let _ = (model.latex(), model.markdown(), model.step_and_membrane());
    let _ = (model.step().adjoint().count(), model.constants().adjoint(), model.rest().adjoint());
    let mut source = model.source().clone();
    source.variants = vec![Variant::only(model.equations().join("\n"))];
    source.constants.clear();
    for line in model.named_constants() {
        let (name, expression) = line.split_once(" = ").expect("`name = expression`");
        let (name, expression) = (Text::new(name), Text::new(expression));
        source.constants.push(Definition { name, expression });
    }
    let again = Model::build(source).expect("what was written can be read");
    assert_eq!(again.equations(), model.equations());
    assert_eq!(again.step().count(), model.step().count());
}
