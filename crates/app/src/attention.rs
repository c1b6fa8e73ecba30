//! What a sync brought that the person is to look at, and the notice that says so.

use std::collections::BTreeSet;

use yaoguan_field::{FieldError, Phone, Row};

use crate::words::Words;

/// Ids of what waits for the person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attention {
    returned: BTreeSet<String>,
    assigned: BTreeSet<String>,
    tasks: BTreeSet<String>,
}

impl Attention {
    /// None before the first sync: what that one brings is not news.
    pub(crate) fn of(phone: &Phone) -> Result<Option<Self>, FieldError> {
        if phone.whereabouts()?.last_contact.is_none() {
            return Ok(None);
        }
        let todo = phone.todo()?;
        let ids = |rows: &[Row]| rows.iter().map(|row| row.id.to_string()).collect();
        Ok(Some(Self {
            returned: ids(&todo.returned),
            assigned: ids(&todo.assigned),
            tasks: ids(&todo.tasks),
        }))
    }

    /// Words for what came since; none when nothing did.
    pub(crate) fn news_since(&self, before: &Self, words: &Words) -> Option<String> {
        let parts = [
            (&self.returned, &before.returned, &words.returned),
            (&self.assigned, &before.assigned, &words.assigned),
            (&self.tasks, &before.tasks, &words.tasks),
        ];
        let said: Vec<_> = parts
            .into_iter()
            .map(|(now, then, words)| (now.difference(then).count(), words))
            .filter(|(n, _)| *n > 0)
            .map(|(n, words)| words.replace("{n}", &n.to_string()))
            .collect();
        (!said.is_empty()).then(|| said.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_said() {
        let words = Words::of("en");
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        let before = Attention { returned: ids(&["a"]), ..Attention::default() };
        let after =
            Attention { returned: ids(&["a", "b"]), tasks: ids(&["c"]), ..Attention::default() };
        assert_eq!(before.news_since(&before, &words), None);
        assert_eq!(
            after.news_since(&before, &words).unwrap(),
            "Sent back to you for correction: 1\nNew tasks: 1"
        );
        assert_eq!(before.news_since(&after, &words), None);
    }
}
