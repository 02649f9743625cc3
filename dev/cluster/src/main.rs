fn main() -> cluster::Result<()> {
    let c = cluster::Cluster::start(cluster::Options {
        node: cluster::NodeChoice::Kwok,
        ..Default::default()
    })?;
    println!("{}", c.kubeconfig().display());
    c.kubectl().args(["get", "nodes,sa"]).status()?;
    c.api_server().kill()?;
    c.api_server().start()?;
    let t = std::time::Instant::now();
    c.api_server().stop()?;
    println!("stop {:?}", t.elapsed());
    let t = std::time::Instant::now();
    c.api_server().start()?;
    println!("start {:?}", t.elapsed());
    c.kubectl().args(["version"]).status()?;
    Ok(())
}
