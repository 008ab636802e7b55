/// Dyes on a glass slide, as planes of their amounts; light is taken away as it passes through them (Beer and Lambert).
struct BloodFilm {
    let side: Int
    /// In nuclei and platelets.
    var azure: Plane
    /// In red cells and in the bodies of white cells.
    var eosin: Plane
    /// In grains.
    var granules: Plane

    init(side: Int) {
        self.side = side
        azure = Plane(side: side)
        eosin = Plane(side: side)
        granules = Plane(side: side)
    }

    /// How strongly the dyes take away red, green and blue: no two slides are stained alike.
    struct Stain {
        var azure: Colour
        var eosin: Colour
        var granules: Colour

        init(_ numbers: inout RandomNumbers) {
            let strength = numbers.between(0.75, 1.3)
            azure = Self.tone(
                between: Colour(2.1, 2.3, 0.75), and: Colour(1.25, 2.4, 0.95), strength, &numbers)
            eosin = Self.tone(
                between: Colour(0.14, 0.72, 0.5), and: Colour(0.3, 0.62, 0.42), strength * numbers.between(0.75, 1.3),
                &numbers)
            granules = Self.tone(
                between: Colour(0.35, 1.5, 1.35), and: Colour(1.5, 2.1, 0.8), strength, &numbers)
        }

        private static func tone(
            between first: Colour, and second: Colour, _ strength: Float, _ numbers: inout RandomNumbers
        ) -> Colour {
            first.mixed(with: second, numbers.uniform()).varied(brightness: 0.1, hue: 0.1, &numbers) * strength
        }
    }

    /// The light that passes.
    func canvas(stain: Stain, lamp: Colour) -> Canvas {
        var canvas = Canvas(side: side)
        canvas.fill { x, y in
            let position = y * side + x
            let (azure, eosin, grain) = (azure.values[position], eosin.values[position], granules.values[position])
            let density = stain.azure * azure + stain.eosin * eosin + stain.granules * grain
            return lamp
                * Colour(
                    Arithmetic.decay(density.red), Arithmetic.decay(density.green), Arithmetic.decay(density.blue))
        }
        return canvas
    }
}

/// A red cell: a disc that is thinner in its middle.
struct RedCell {
    let centre: Point
    let radius: Float

    func stain(_ film: inout BloodFilm, noise: Noise, _ numbers: inout RandomNumbers) {
        let outline = Outline(
            blobAt: centre, radii: Point(radius, radius * numbers.between(0.88, 1)), turns: numbers.uniform(),
            roughness: numbers.between(0.01, 0.05), corners: 32, &numbers)
        let density = numbers.between(0.8, 1.1)
        let pallor = numbers.between(0.25, 0.7)
        let width = numbers.between(0.35, 0.55)
        let grain = 32 / Float(film.side)
        let heart = centre + numbers.offset(0.1 * radius)
        film.eosin.add(Mask(outline, side: film.side)) { x, y in
            let place = (Point(Float(x), Float(y)) + 0.5 - heart) / (radius * width)
            let square = place.x * place.x + place.y * place.y
            let rim = Arithmetic.smoothStep(0.75, 0.95, square.squareRoot() * width)
            return density * (1 - pallor * Arithmetic.decay(square * 0.7)) * (1 + 0.12 * rim)
                * (0.95 + 0.1 * noise.value(Float(x) * grain, Float(y) * grain))
        }
    }
}

/// Small bodies between the cells, with a dark heart.
struct Platelet {
    let centre: Point
    let radius: Float

    func stain(_ film: inout BloodFilm, noise: Noise, _ numbers: inout RandomNumbers) {
        let outline = Outline(
            blobAt: centre, radii: Point(radius, radius * numbers.between(0.6, 1)), turns: numbers.uniform(),
            roughness: 0.2, corners: 18, &numbers)
        let density = numbers.between(0.25, 0.6)
        film.azure.add(Mask(outline, side: film.side)) { x, y in
            density * (0.4 + 1.2 * noise.value(Float(x) / radius * 2.2, Float(y) / radius * 2.2))
        }
    }
}
