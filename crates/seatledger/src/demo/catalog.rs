//! What the company has bought: features, seats, prices; and the tools that cost nothing.

/// A license server of the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// Windows; CAD.
    Lic1,
    /// Linux; simulation and mathematics.
    Lic2,
}

/// A feature that a license server counts.
#[derive(Debug)]
pub(super) struct Feature {
    pub(super) server: Server,
    pub(super) daemon: &'static str,
    pub(super) code: &'static str,
    product: &'static str,
    kind: &'static str,
    /// Swiss francs a seat and year.
    price: u32,
    /// Seats bought.
    pub(super) seats: i64,
    /// The package of which it is a component; that counts the seats.
    pub(super) package: Option<&'static str>,
}

/// What runs: a person starts one of these, and its features are checked out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    AutoCad,
    Inventor,
    Civil3d,
    Revit,
    Navisworks,
    Mechanical,
    SolverJob,
    FluidJob,
    Cfd,
    Matlab,
    Simulink,
    SignalToolbox,
}

impl Program {
    /// The features that it checks out, in this order; `old` is the release before.
    pub(super) fn features(self, old: bool) -> &'static [&'static str] {
        match (self, old) {
            (Self::AutoCad, false) => &["64300ACD_F", "87676ACD_2023_0F"],
            (Self::AutoCad, true) => &["64300ACD_F", "87545ACD_2022_0F"],
            (Self::Inventor, false) => &["64801INVPROSA_F", "87674INVPROSA_2023_0F"],
            (Self::Inventor, true) => &["64801INVPROSA_F", "87537INVPROSA_2022_0F"],
            (Self::Civil3d, _) => &["64900CIV3D_F", "87556CIV3D_2022_0F"],
            (Self::Revit, _) => &["85950RVT_F", "87561RVT_2022_0F"],
            (Self::Navisworks, _) => &["67600NAVMAN_F", "87566NAVMAN_2022_0F"],
            (Self::Mechanical, _) => &["meba"],
            (Self::SolverJob, _) => &["meba", "anshpc"],
            (Self::FluidJob, _) => &["cfd_solve_level3", "anshpc"],
            (Self::Cfd, _) => &["cfd_base"],
            (Self::Matlab, _) => &["MATLAB"],
            (Self::Simulink, _) => &["SIMULINK"],
            (Self::SignalToolbox, _) => &["Signal_Toolbox"],
        }
    }
}

/// The feature of which a parallel job takes many seats.
pub(super) const PARALLEL: &str = "anshpc";

const fn cad(code: &'static str, product: &'static str, price: u32, seats: i64) -> Feature {
    Feature {
        server: Server::Lic1,
        daemon: "adskflex",
        code,
        product,
        kind: "CAD",
        price,
        seats,
        package: None,
    }
}

const fn component(code: &'static str, product: &'static str, package: &'static str) -> Feature {
    Feature { package: Some(package), ..cad(code, product, 0, i64::MAX) }
}

const fn simulation(
    code: &'static str,
    product: &'static str,
    kind: &'static str,
    price: u32,
    seats: i64,
) -> Feature {
    Feature { server: Server::Lic2, daemon: "ansyslmd", code, product, kind, price, seats, package: None }
}

const fn mathematics(code: &'static str, product: &'static str, price: u32, seats: i64) -> Feature {
    Feature { daemon: "MLM", ..simulation(code, product, "mathematics", price, seats) }
}

/// All features. Navisworks is bought far too large, the Signal Toolbox far too small.
pub(super) const FEATURES: [Feature; 20] = [
    cad("64300ACD_F", "AutoCAD", 1_690, 40),
    component("87676ACD_2023_0F", "AutoCAD 2023", "64300ACD_F"),
    component("87545ACD_2022_0F", "AutoCAD 2022", "64300ACD_F"),
    cad("64801INVPROSA_F", "Inventor Professional", 2_310, 36),
    component("87674INVPROSA_2023_0F", "Inventor Professional 2023", "64801INVPROSA_F"),
    component("87537INVPROSA_2022_0F", "Inventor Professional 2022", "64801INVPROSA_F"),
    cad("64900CIV3D_F", "Civil 3D", 2_540, 6),
    component("87556CIV3D_2022_0F", "Civil 3D 2022", "64900CIV3D_F"),
    cad("85950RVT_F", "Revit", 2_690, 12),
    component("87561RVT_2022_0F", "Revit 2022", "85950RVT_F"),
    cad("67600NAVMAN_F", "Navisworks Manage", 2_480, 25),
    component("87566NAVMAN_2022_0F", "Navisworks Manage 2022", "67600NAVMAN_F"),
    simulation("meba", "Mechanical Enterprise", "FEM", 18_400, 24),
    simulation(PARALLEL, "HPC cores", "HPC", 720, 288),
    simulation("cfd_base", "Fluid pre- and postprocessing", "CFD", 6_900, 10),
    simulation("cfd_solve_level3", "Fluid solver", "CFD", 14_200, 8),
    mathematics("MATLAB", "MATLAB", 980, 30),
    mathematics("SIMULINK", "Simulink", 1_450, 10),
    mathematics("Signal_Toolbox", "Signal Processing Toolbox", 490, 3),
    mathematics("Optimization_Toolbox", "Optimization Toolbox", 490, 5),
];

/// A tool without a license server: its wrapper reports it.
pub(super) const TOOLS: [(&str, &str, &str); 5] = [
    ("paraview", "ParaView", "post-processing"),
    ("gmsh", "Gmsh", "meshing"),
    ("octave", "GNU Octave", "mathematics"),
    ("openfoam", "OpenFOAM", "CFD"),
    ("calculix", "CalculiX", "FEM"),
];

/// The number of a feature of [`FEATURES`].
pub(super) fn number_of(code: &str) -> usize {
    FEATURES.iter().position(|feature| feature.code == code).unwrap_or(0)
}

/// The catalog: `feature,product,type,price`.
pub(super) fn catalog_csv() -> String {
    let bought = FEATURES.iter().map(|feature| {
        let Feature { code, product, kind, price, .. } = feature;
        format!("{code},{product},{kind},{price}.00\n")
    });
    let free = TOOLS.iter().map(|(tool, product, kind)| format!("{tool},{product},{kind},0.00\n"));
    std::iter::once("feature,product,type,price\n".to_owned()).chain(bought).chain(free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_and_package_is_in_the_catalog() {
        let known = |code: &str| FEATURES.iter().any(|feature| feature.code == code);
        let programs = [
            Program::AutoCad,
            Program::Inventor,
            Program::Civil3d,
            Program::Revit,
            Program::Navisworks,
            Program::Mechanical,
            Program::SolverJob,
            Program::FluidJob,
            Program::Cfd,
            Program::Matlab,
            Program::Simulink,
            Program::SignalToolbox,
        ];
        let codes =
            programs.iter().flat_map(|program| [program.features(false), program.features(true)]).flatten();
        assert!(codes.copied().chain(FEATURES.iter().filter_map(|feature| feature.package)).all(known));
        assert_eq!(catalog_csv().lines().count(), 1 + FEATURES.len() + TOOLS.len());
    }
}
