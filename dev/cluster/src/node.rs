//! Who runs the pods. Takes a choice, gives what could really be had, never passes one off as the other.

use anyhow::Context;

use crate::image::Image;
use crate::importer::Importer;
use crate::node_choice::{Node, NodeChoice};
use crate::plane::Site;
use crate::ports::Port;
use crate::real::RealNode;
use crate::{Component, Result, kwok};

/// The node's processes.
pub(crate) struct NodeParts {
    kind: Node,
    real: Option<RealNode>,
    kwok: Option<(Component, Port)>,
}

impl NodeParts {
    pub fn none() -> NodeParts {
        NodeParts {
            kind: Node::None,
            real: None,
            kwok: None,
        }
    }

    /// Starts the node of the cluster `id`, whose API server has this port, and waits until it is Ready.
    pub fn start(choice: NodeChoice, site: &Site, api_server: u16, id: &str) -> Result<NodeParts> {
        let reason = match choice {
            NodeChoice::None => return Ok(NodeParts::none()),
            NodeChoice::Kwok => "it was asked for".to_string(),
            NodeChoice::Real => return NodeParts::real(site, api_server, id),
            NodeChoice::RealOrKwok => match RealNode::obstacle() {
                None => return NodeParts::real(site, api_server, id),
                Some(obstacle) => {
                    eprintln!("no real node here: {obstacle}. KWOK stands in: pods complete, but no container runs");
                    obstacle
                }
            },
        };
        let kwok = kwok::start(site).context("KWOK did not start")?;
        Ok(NodeParts {
            kind: Node::Kwok { reason },
            real: None,
            kwok: Some(kwok),
        })
    }

    fn real(site: &Site, api_server: u16, id: &str) -> Result<NodeParts> {
        let node = RealNode::start(site, api_server, id).context("no real node could be started")?;
        Ok(NodeParts {
            kind: Node::Real,
            real: Some(node),
            kwok: None,
        })
    }

    pub fn kind(&self) -> &Node {
        &self.kind
    }

    pub fn import(&self, image: &Image) -> Result<()> {
        match &self.real {
            Some(node) => node.import(image),
            None => Ok(()),
        }
    }

    pub fn import_archive(&self, tar: &std::path::Path) -> Result<()> {
        match &self.real {
            Some(node) => node.import_archive(tar),
            None => Ok(()),
        }
    }

    /// The way of images to a real node, for other processes.
    pub fn importer(&self) -> Option<Importer> {
        self.real.as_ref()?.importer().ok()
    }

    /// Ends the node before who it talks to.
    pub fn end(&mut self) {
        self.real = None;
        self.kwok = None;
    }
}

/// Why there can be no real node on this machine, if so. As root it installs the packages that are missing.
pub fn real_node_obstacle() -> Option<String> {
    RealNode::obstacle()
}
