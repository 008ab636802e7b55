/// A white cell that has its place on a slide.
struct WhiteCell {
    let form: CellForm
    let centre: Point
    /// The radius of its body in pixels.
    let radius: Float
    private let body: Outline
    private let nucleus: [Outline]

    /// - Parameter nucleusArea: in square pixels; the body follows from it.
    init(_ form: CellForm, at centre: Point, nucleusArea: Float, _ numbers: inout RandomNumbers) {
        self.form = form
        self.centre = centre
        let scale = (nucleusArea / Self.area(of: form.nucleus)).squareRoot()
        let axis = Arithmetic.direction(turns: numbers.uniform())
        let mirror: Float = numbers.chance(0.5) ? 1 : -1
        let extent = form.nucleus.flatMap(\.points).map(\.length).max() ?? 1
        let radius = max((nucleusArea * form.bodyRatio / 3.1416).squareRoot(), extent * scale * 1.06)
        self.radius = radius
        // Nuclei lie a little to one side.
        let shift = Arithmetic.direction(turns: numbers.uniform()) * (radius - extent * scale) * numbers.between(0, 0.7)
        nucleus = form.nucleus.map { outline in
            outline.mapped { point in
                centre + shift + (axis * (point.x * mirror) + axis.turned * point.y) * scale
            }
        }
        body = Outline(
            blobAt: centre, radii: Point(radius, radius * numbers.between(0.9, 1)), turns: numbers.uniform(),
            roughness: form.bodyRoughness, corners: 48, &numbers)
    }

    /// What figures cover together.
    private static func area(of outlines: [Outline]) -> Float {
        let (side, scale): (Int, Float) = (96, 20)
        let placed = outlines.map { $0.mapped { $0 * scale + Float(side) / 2 } }
        return max(Mask(placed, side: side).values.reduce(0, +) / (scale * scale), 0.1)
    }

    /// Lays its dyes over what is there; red cells give way.
    func stain(_ film: inout BloodFilm, noise: Noise, _ numbers: inout RandomNumbers) {
        let side = film.side
        let bodyMask = Mask(body, side: side)
        let nucleusMask = Mask(nucleus, side: side).plane(side: side).blurred(radius * 0.02)
        film.eosin.keep(outside: bodyMask)
        film.azure.keep(outside: bodyMask)
        film.granules.keep(outside: bodyMask)
        stainBody(bodyMask, &film, noise: noise, &numbers)
        stainNucleus(nucleusMask, &film, noise: noise)
        if let granules = form.granules {
            stain(granules, &film, besides: granules.coverNucleus ? Plane(side: side) : nucleusMask, &numbers)
        }
    }

    /// The body with its bubbles. Its colour says nothing about its kind.
    private func stainBody(_ mask: Mask, _ film: inout BloodFilm, noise: Noise, _ numbers: inout RandomNumbers) {
        let (azure, eosin) = (numbers.between(0.04, 0.26), numbers.between(0.04, 0.35))
        var mask = mask
        for _ in 0..<form.vacuoleCount {
            let place = centre + Arithmetic.direction(turns: numbers.uniform()) * radius * numbers.between(0.3, 0.85)
            let bubble = Outline(
                blobAt: place, radii: Point(repeating: radius * numbers.between(0.04, 0.09)), corners: 14, &numbers)
            mask.subtract(Mask(bubble, side: film.side))
        }
        let grain = 9 / radius
        film.azure.add(mask) { x, y in azure * (0.7 + 0.6 * noise.value(Float(x) * grain, Float(y) * grain)) }
        film.eosin.add(mask) { _, _ in eosin }
    }

    /// The nucleus with its clumps of chromatin, darker at the edge.
    private func stainNucleus(_ mask: Plane, _ film: inout BloodFilm, noise: Noise) {
        let clumps = noise.plane(
            side: mask.side, size: Point(repeating: form.chromatin.size * radius / Float(mask.side)), turns: 0.07,
            octaves: 3,
            persistence: 0.6)
        let inner = mask.blurred(radius * 0.07)
        let contrast = form.chromatin.contrast * 2.2
        for position in mask.values.indices where mask.values[position] > 0 {
            let rim = 1 - inner.values[position]
            let dye = form.density * (1 + contrast * (clumps.values[position] - 0.5)) + 0.3 * rim
            film.azure.values[position] += mask.values[position] * max(dye, 0.15)
        }
    }

    private func stain(
        _ granules: CellForm.Granules, _ film: inout BloodFilm, besides nucleus: Plane, _ numbers: inout RandomNumbers
    ) {
        for _ in 0..<granules.count {
            // Evenly over a disc, a little inside the edge.
            let reach = numbers.uniform().squareRoot() * radius * 0.93
            let place = centre + Arithmetic.direction(turns: numbers.uniform()) * reach
            let size = max(granules.radius * radius * (1 + granules.variation * numbers.between(-1, 1)), 0.45)
            let grain = Outline(blobAt: place, radii: Point(repeating: size), corners: size < 2 ? 7 : 12, &numbers)
            guard nucleus[Int(place.x), Int(place.y)] < 0.5 else { continue }
            // Thickest in the middle, so that grains are apart where they touch.
            film.granules.raise(within: Mask(grain, side: film.side)) { x, y in
                let way = (Point(Float(x), Float(y)) + 0.5 - place).length / size
                return granules.density * (1.15 - 0.75 * min(way * way, 1))
            }
        }
    }
}
