//! Numbers of alternating rounds, and what is said of them.

use std::time::Instant;

use serde_json::{Value as Json, json};

/// One number for each round.
#[derive(Debug, Clone, Default)]
pub struct Samples(pub Vec<f64>);

impl Samples {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value below which this share lies (nearest rank).
    pub fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// Round by round.
    pub fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    pub fn spread(&self) -> (f64, f64) {
        (self.at(0.0), self.at(1.0))
    }
}

/// Milliseconds that something takes.
pub fn timed<R>(work: impl FnOnce() -> R) -> (f64, R) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed().as_secs_f64() * 1e3, result)
}

/// Milliseconds of this core that something takes: what other programs take meanwhile is left out.
pub fn timed_on_core<R>(work: impl FnOnce() -> R) -> (f64, R) {
    // Nanoseconds on the core, then waiting for it (Documentation/scheduler/sched-stats.rst).
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok())
    };
    let before = spent();
    let (wall_ms, result) = timed(work);
    let ms = spent().zip(before).map(|(after, before)| (after - before) / 1e6);
    (ms.filter(|ms| *ms > 0.0).unwrap_or(wall_ms), result)
}

/// The same for something that is awaited.
pub async fn timed_async<R>(work: impl Future<Output = R>) -> (f64, R) {
    let begun = Instant::now();
    let result = work.await;
    (begun.elapsed().as_secs_f64() * 1e3, result)
}

/// What a figure has to reach.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// Measured over the peer's.
    RatioAtMost(f64),
    /// How many times the peer's figure is ours.
    TimesFaster(f64),
    None,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub ours: Samples,
    pub peer: Option<(String, Samples)>,
    pub goal: Goal,
}

impl Figure {
    pub fn new(name: impl Into<String>, unit: &'static str, ours: Samples) -> Self {
        Self { name: name.into(), unit, ours, peer: None, goal: Goal::None }
    }
    pub fn one(name: impl Into<String>, unit: &'static str, ours: f64) -> Self {
        Self::new(name, unit, Samples(vec![ours]))
    }
    pub fn beside(mut self, peer: impl Into<String>, samples: Samples) -> Self {
        self.peer = Some((peer.into(), samples));
        self
    }
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goal = goal;
        self
    }

    /// Ours over the peer's, round by round.
    pub fn ratio(&self) -> Option<Samples> {
        let (_, peer) = self.peer.as_ref()?;
        if peer.0.len() == self.ours.0.len() {
            return Some(self.ours.over(peer));
        }
        Some(Samples(vec![self.ours.median() / peer.median()]))
    }

    pub fn holds(&self) -> Option<bool> {
        let ratio = || self.ratio().map_or(f64::NAN, |ratio| ratio.median());
        match self.goal {
            Goal::AtMost(most) => Some(self.ours.median() <= most),
            Goal::AtLeast(least) => Some(self.ours.median() >= least),
            Goal::RatioAtMost(most) => Some(ratio() <= most),
            Goal::TimesFaster(times) => Some(ratio() * times <= 1.0),
            Goal::None => None,
        }
    }

    pub fn goal_text(&self) -> String {
        match self.goal {
            Goal::AtMost(most) => format!("≤ {} {}", plain(most), self.unit),
            Goal::AtLeast(least) => format!("≥ {} {}", plain(least), self.unit),
            Goal::RatioAtMost(most) => format!("≤ {most} ×"),
            Goal::TimesFaster(times) => format!("≥ {times} × faster"),
            Goal::None => String::new(),
        }
    }

    pub fn json(&self) -> Json {
        let ratio = self.ratio();
        json!({
            "name": self.name, "unit": self.unit, "figure": self.ours.median(),
            "spread": self.ours.spread(),
            "peer": self.peer.as_ref().map(|(name, _)| name),
            "peer_figure": self.peer.as_ref().map(|(_, samples)| samples.median()),
            "ratio": ratio.as_ref().map(Samples::median),
            "ratio_spread": ratio.as_ref().map(Samples::spread),
            "goal": match self.goal { Goal::None => None, _ => Some(self.goal_text()) },
            "holds": self.holds(),
        })
    }
}

/// Three figures, without a tail of zeroes.
pub fn plain(value: f64) -> String {
    let size = value.abs();
    if size >= 1000.0 || value.fract() == 0.0 {
        let text = format!("{value:.0}");
        let digits = text.len();
        let mut out = String::new();
        for (at, c) in text.chars().enumerate() {
            if at > 0 && (digits - at) % 3 == 0 && c.is_ascii_digit() && !out.ends_with('-') {
                out.push(',');
            }
            out.push(c);
        }
        out
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
