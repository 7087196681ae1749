//! The names in the authors' networks, and ours for the same parameters.
//!
//! The authors' names are those of the state dicts published with Yin, Corradi & Bohté 2021
//! (<https://github.com/byin-cwi/Efficient-spiking-networks>), one table per network.

/// The names in one of the authors' networks.
pub(super) struct Table {
    pub(super) tasks: &'static [&'static str],
    /// Linear maps, with `.weight` and `.bias`: their name and ours.
    linear: &'static [(&'static str, &'static str)],
    /// Single parameters: their name and ours.
    parameters: &'static [(&'static str, &'static str)],
    /// Parameters that the network has but never uses.
    unused: &'static [&'static str],
    /// Our name of input weights whose channels run the other way: the authors' scripts for spikes of a cochlea put unit u
    /// into channel 700 − u, and leave out unit 0.
    pub(super) reversed: Option<&'static str>,
}

pub(super) const TABLES: &[Table] = &[
    Table {
        tasks: &["ecg-paper"],
        linear: &[
            ("i2h", "layers.0.input"),
            ("h2h", "layers.0.recurrent"),
            ("h2o", "readout.input"),
        ],
        parameters: &[
            ("tau_m_h", "layers.0.tau_m"),
            ("tau_adp_h", "layers.0.tau_adp"),
            ("tau_m_o", "readout.tau_m"),
            ("tau_adp_o", "readout.tau_adp"),
        ],
        unused: &[],
        reversed: None,
    },
    Table {
        tasks: &["shd", "ssc"],
        linear: &[
            ("i_2_h1", "layers.0.input"),
            ("h1_2_h1", "layers.0.recurrent"),
            ("h1_2_h2", "layers.1.input"),
            ("h2_2_h2", "layers.1.recurrent"),
            ("h2o", "readout.input"),
        ],
        parameters: &[
            ("tau_m_h1", "layers.0.tau_m"),
            ("tau_adp_h1", "layers.0.tau_adp"),
            ("tau_m_h2", "layers.1.tau_m"),
            ("tau_adp_h2", "layers.1.tau_adp"),
            ("tau_m_o", "readout.tau_m"),
        ],
        // The readout is a leaky integrator.
        unused: &["tau_adp_o"],
        reversed: Some("layers.0.input.weight"),
    },
    Table {
        tasks: &["smnist", "psmnist"],
        linear: &[
            ("i2h", "layers.0.input"),
            ("h2h", "layers.0.recurrent"),
            ("h2d", "layers.1.input"),
            ("d2d", "layers.1.recurrent"),
            ("dense1", "layers.2.input"),
            ("d2o", "readout.input"),
        ],
        parameters: &[
            ("tau_m_r1", "layers.0.tau_m"),
            ("tau_adp_r1", "layers.0.tau_adp"),
            ("tau_m_r2", "layers.1.tau_m"),
            ("tau_adp_r2", "layers.1.tau_adp"),
            ("tau_m_d1", "layers.2.tau_m"),
            ("tau_adp_d1", "layers.2.tau_adp"),
            ("tau_m_o", "readout.tau_m"),
            ("tau_adp_o", "readout.tau_adp"),
        ],
        unused: &[],
        reversed: None,
    },
    Table {
        tasks: &["timit"],
        linear: &[
            ("rnn_fw1.dense", "layers.0.forward.input"),
            ("rnn_fw1.recurrent", "layers.0.forward.recurrent"),
            ("rnn_bw1.dense", "layers.0.backward.input"),
            ("rnn_bw1.recurrent", "layers.0.backward.recurrent"),
            ("dense_mean.dense", "readout.input"),
        ],
        parameters: &[
            ("rnn_fw1.tau_m", "layers.0.forward.tau_m"),
            ("rnn_fw1.tau_adp", "layers.0.forward.tau_adp"),
            ("rnn_bw1.tau_m", "layers.0.backward.tau_m"),
            ("rnn_bw1.tau_adp", "layers.0.backward.tau_adp"),
            ("dense_mean.tau_m", "readout.tau_m"),
        ],
        unused: &[],
        reversed: None,
    },
];

/// What becomes of a tensor.
#[derive(Debug, PartialEq)]
pub(super) enum Fate {
    /// It gets this name.
    Kept(String),
    /// It is left out.
    Unused,
}

impl Table {
    /// The table of a task, if it has one.
    pub(super) fn of(task: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.tasks.contains(&task))
    }

    /// All of the authors' names, each with what becomes of it.
    pub(super) fn names(&self) -> impl Iterator<Item = (String, Fate)> {
        let linear = self.linear.iter().flat_map(|(theirs, ours)| {
            ["weight", "bias"]
                .map(|part| (format!("{theirs}.{part}"), Fate::Kept(format!("{ours}.{part}"))))
        });
        let parameters = self
            .parameters
            .iter()
            .map(|(theirs, ours)| (theirs.to_string(), Fate::Kept(ours.to_string())));
        let unused = self.unused.iter().map(|theirs| (theirs.to_string(), Fate::Unused));
        linear.chain(parameters).chain(unused)
    }

    /// The authors' name of the parameter that is `ours`.
    pub(super) fn theirs(&self, ours: &str) -> Option<String> {
        self.names()
            .find_map(|(theirs, fate)| (fate == Fate::Kept(ours.to_owned())).then_some(theirs))
    }

    /// What becomes of the authors' `name`, unless they have none such.
    pub(super) fn fate(&self, name: &str) -> Option<Fate> {
        self.names().find_map(|(theirs, fate)| (theirs == name).then_some(fate))
    }
}
