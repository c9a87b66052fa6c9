//! What categories say of their objects: skeletons and attributes.

use super::{Definition, Editor};
use crate::command::Command;
use limn_domain::attribute;
use limn_domain::{
    Annotation, AnnotationId, Attribute, AttributeValue, Attributes, CategoryId, Shape, Skeleton, Source,
};
use std::collections::HashMap;

impl Editor {
    /// The definitions of the categories that have any.
    pub fn set_definitions(&mut self, definitions: HashMap<CategoryId, Definition>) {
        self.definitions = definitions;
        self.epochs.look += 1;
    }

    /// Whether `id` lies somewhere below `above` in the tree of categories.
    pub fn is_below(&self, id: CategoryId, above: CategoryId) -> bool {
        let parent = |id: CategoryId| self.definitions.get(&id).and_then(|d| d.parent);
        let mut at = parent(id);
        // No tree is deeper; a circle would have no end.
        for _ in 0..limn_domain::category::MAX_LEVELS {
            match at {
                Some(p) if p == above => return true,
                Some(p) => at = parent(p),
                None => return false,
            }
        }
        false
    }

    /// The skeleton of the category that new shapes get.
    pub fn skeleton(&self) -> Option<&Skeleton> {
        self.skeleton_of(self.category?)
    }

    /// The skeleton of a category.
    pub fn skeleton_of(&self, id: CategoryId) -> Option<&Skeleton> {
        self.definitions.get(&id)?.skeleton.as_ref()
    }

    /// The attributes of a category.
    pub fn attributes_of(&self, id: CategoryId) -> &[Attribute] {
        self.definitions
            .get(&id)
            .map(|d| d.attributes.as_slice())
            .unwrap_or_default()
    }

    /// What new objects of a category have.
    pub(super) fn default_attributes(&self, id: CategoryId) -> Attributes {
        attribute::defaults(self.attributes_of(id))
    }

    /// Says something of the selected objects of the primary one's category, or takes it back. Answers what is wrong with
    /// the value, if something is.
    pub fn describe_selected(&mut self, key: &str, value: Option<AttributeValue>) -> Result<bool, String> {
        let Some(category) = self
            .selection
            .primary()
            .and_then(|id| self.doc.get(id))
            .map(|a| a.category_id)
        else {
            return Ok(false);
        };
        let Some(attribute) = self.attributes_of(category).iter().find(|a| a.key == key) else {
            return Ok(false);
        };
        let value = value.map(|v| attribute.check(v)).transpose()?;
        let ids = self
            .editable()
            .into_iter()
            .filter(|id| self.doc.get(*id).is_some_and(|a| a.category_id == category))
            .collect();
        Ok(self.run(Command::Describe(ids, key.to_owned(), value)))
    }

    /// What can be said of the item as a whole.
    pub fn set_item_attributes(&mut self, attributes: Vec<Attribute>) {
        self.item_attributes = attributes;
        self.epochs.look += 1;
    }

    pub fn item_attributes(&self) -> &[Attribute] {
        &self.item_attributes
    }

    /// Says something of the item, or takes it back. Answers what is wrong with the value, if something is.
    pub fn describe_item(&mut self, key: &str, value: Option<AttributeValue>) -> Result<bool, String> {
        let Some(attribute) = self.item_attributes.iter().find(|a| a.key == key) else {
            return Ok(false);
        };
        let value = value.map(|v| attribute.check(v)).transpose()?;
        Ok(self.run(Command::DescribeItem(key.to_owned(), value)))
    }

    /// Gives the item the defaults of attributes that nobody has said; asked for when it is submitted.
    pub fn fill_item_defaults(&mut self) -> bool {
        let missing: Vec<(String, AttributeValue)> = attribute::defaults(&self.item_attributes)
            .into_iter()
            .filter(|(key, _)| !self.doc.about().contains_key(key))
            .collect();
        let mut any = false;
        for (key, value) in missing {
            any |= self.run(Command::DescribeItem(key, Some(value)));
        }
        any
    }

    /// The name of the first required attribute of the item that has no value.
    pub fn item_undescribed(&self) -> Option<&str> {
        let missing = self
            .item_attributes
            .iter()
            .find(|d| d.is_missing(self.doc.about()));
        missing.map(|d| d.name.as_str())
    }

    /// The first object without an attribute that its category requires, with the attribute's name.
    pub fn undescribed(&self) -> Option<(AnnotationId, String)> {
        self.stored()
            .iter()
            .filter(|a| a.source != Source::Prelabel)
            .find_map(|a| {
                let missing = self
                    .attributes_of(a.category_id)
                    .iter()
                    .find(|d| d.is_missing(&a.attributes))?;
                Some((a.id, missing.name.clone()))
            })
    }

    /// Gives the selected shapes another category. Says whether all took it: keypoints go only to a category whose skeleton
    /// has as many. What is said of them stays as far as the other category knows it.
    pub fn relabel_selected(&mut self, id: CategoryId) -> bool {
        let count = self.skeleton_of(id).map(|s| s.keypoints.len());
        let fits = |a: &Annotation| match &a.shape {
            Shape::Keypoints { keypoints } => count == Some(keypoints.len()),
            _ => true,
        };
        let all = self.editable();
        let known = self.attributes_of(id);
        let list: Vec<(AnnotationId, Attributes)> = all
            .iter()
            .filter_map(|id| self.doc.get(*id))
            .filter(|a| fits(a))
            .map(|a| {
                let mut values = attribute::defaults(known);
                let kept = a.attributes.iter().filter_map(|(key, value)| {
                    let d = known.iter().find(|d| d.key == *key)?;
                    Some((key.clone(), d.check(value.clone()).ok()?))
                });
                values.extend(kept);
                (a.id, values)
            })
            .collect();
        let fit = list.len() == all.len();
        self.run(Command::Relabel(list, id));
        fit
    }
}
