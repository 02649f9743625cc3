fn main() -> cluster::Result<()> {
    let c = cluster::Cluster::start(cluster::Options {
        node: cluster::NodeChoice::RealOrKwok,
        ..Default::default()
    })?;
    println!("{}", c.kubeconfig().display());
    c.kubectl().args(["get", "nodes,sa"]).status()?;
    let t = std::time::Instant::now();
    println!("stop {:?}", t.elapsed());
    let t = std::time::Instant::now();
    println!("start {:?}", t.elapsed());
    c.kubectl().args(["version"]).status()?;
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
