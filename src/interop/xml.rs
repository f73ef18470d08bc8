//! A few steps through an XML tree, by local name.

use roxmltree::Node;

/// The element children of `node` with this local name, in document order.
pub(super) fn kids<'a, 'i>(node: Node<'a, 'i>, name: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// Every element at `path` (`A/B/C`, local names) below `node`, in document order.
pub(super) fn all<'a, 'i>(node: Node<'a, 'i>, path: &str) -> Vec<Node<'a, 'i>> {
    path.split('/').fold(vec![node], |level, step| {
        level
            .into_iter()
            .flat_map(|parent| kids(parent, step))
            .collect()
    })
}

/// The text of an element, comments left out and white space collapsed as in an `xs:token`.
pub(super) fn text(node: Node<'_, '_>) -> String {
    let whole: String = node
        .children()
        .filter(Node::is_text)
        .filter_map(|piece| piece.text())
        .collect();
    let words: Vec<&str> = whole.split_ascii_whitespace().collect();
    words.join(" ")
}

/// The first text at `path` that is not empty; empty where there is none.
pub(super) fn first(node: Node<'_, '_>, path: &str) -> String {
    all(node, path)
        .into_iter()
        .map(text)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
}

/// Where an element stands, for people: its path of local names and the line.
pub(super) fn place(node: Node<'_, '_>) -> String {
    let mut names: Vec<&str> = node
        .ancestors()
        .filter(Node::is_element)
        .map(|element| element.tag_name().name())
        .collect();
    names.reverse();
    let line = node.document().text_pos_at(node.range().start).row;
    format!("{} (line {line})", names.join("/"))
}
