//! Progress of a run on standard error: a bar on a terminal, a few lines elsewhere, nothing if so wished.

use crate::screen::{say, stderr_is_terminal};
use indicatif::{ProgressBar, ProgressStyle};
use urbis::Progress;

/// Where progress goes.
pub(crate) enum Display {
    /// A bar that redraws itself.
    Bar(ProgressBar),
    /// One line for each phase and quarter of the period.
    Lines {
        /// Quarters already told.
        quarter: u32,
    },
    /// Nothing.
    Silent,
}

impl Display {
    /// The display that fits standard error.
    pub(crate) fn new(quiet: bool) -> Self {
        match (quiet, stderr_is_terminal()) {
            (true, _) => Self::Silent,
            (false, true) => Self::Bar(ProgressBar::new_spinner()),
            (false, false) => Self::Lines { quarter: 0 },
        }
    }

    /// Shows how far the run is.
    pub(crate) fn show(&mut self, progress: &Progress<'_>) {
        match (self, progress) {
            (Self::Silent, _) => {}
            (Self::Bar(bar), Progress::Phase(name)) => {
                bar.set_message((*name).to_owned());
                bar.enable_steady_tick(std::time::Duration::from_millis(120));
            }
            (Self::Bar(bar), Progress::Tick { tick, end }) => {
                if bar.length().is_none() {
                    bar.disable_steady_tick();
                    bar.set_length(u64::from(*end));
                    let template = "{msg} {bar:30} {percent:>3} %  {elapsed} elapsed, {eta} left";
                    if let Ok(style) = ProgressStyle::with_template(template) {
                        bar.set_style(style);
                    }
                    bar.reset_eta();
                }
                bar.set_position(u64::from(*tick));
            }
            (Self::Lines { .. }, Progress::Phase(name)) => say(name),
            (Self::Lines { quarter }, Progress::Tick { tick, end }) => {
                let now = (u64::from(*tick) * 4).checked_div(u64::from(*end)).unwrap_or_default() as u32;
                if now > *quarter && now < 4 {
                    *quarter = now;
                    say(&format!("  {} % of the period", now * 25));
                }
            }
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
