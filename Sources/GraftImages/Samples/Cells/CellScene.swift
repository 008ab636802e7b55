/// A white cell in the middle of a stained film of blood, as a microscope shows it: between red cells and platelets, at
/// times with a second white cell that is cut off by the edge.
enum CellScene {
    static func image(_ seed: SceneSeed, side: Int) -> DecodedImage {
        var light = seed.numbers(for: .light)
        var texture = seed.numbers(for: .surfaceTexture)
        let noise = Noise(&texture)
        var film = BloodFilm(side: side)
        let cell = placed(seed, side: side)
        fill(&film, around: cell, noise: noise, seed)
        var surface = seed.numbers(for: .surface)
        cell.stain(&film, noise: noise, &surface)
        let lamp = Colour(1, 1, 1).varied(brightness: 0, hue: 0.1, &light) * light.between(0.62, 1)
        var canvas = film.canvas(stain: BloodFilm.Stain(&light), lamp: lamp)
        illuminate(&canvas, &light)
        return camera(&light).image(of: canvas, &light)
    }

    /// A cell of the wanted kind near the middle. Nuclei of all kinds are equally large in the mean.
    private static func placed(_ seed: SceneSeed, side: Int) -> WhiteCell {
        var shape = seed.numbers(for: .shape)
        let form = CellKind.allCases[seed.classNumber].form(&shape)
        var pose = seed.numbers(for: .pose)
        let middle = (Point(0.5, 0.5) + pose.offset(0.13)) * Float(side)
        let area = pose.between(0.04, 0.11) * Float(side * side)
        return WhiteCell(form, at: middle, nucleusArea: area, &pose)
    }

    /// Red cells and platelets wherever there is room, and at times a white cell of any kind at the edge.
    private static func fill(_ film: inout BloodFilm, around cell: WhiteCell, noise: Noise, _ seed: SceneSeed) {
        var numbers = seed.numbers(for: .neighbours)
        let unit = Float(film.side)
        let radius = numbers.between(0.1, 0.16) * unit
        let spacing = numbers.between(1.3, 2.1)
        var centres: [Point] = []
        for _ in 0..<numbers.whole(12, 60) {
            let place = (Point(0.5, 0.5) + numbers.offset(0.62)) * unit
            // Cells that touch the white one are pushed in a little.
            guard (place - cell.centre).length > cell.radius + radius * 0.6,
                centres.allSatisfy({ ($0 - place).length > radius * spacing })
            else { continue }
            centres.append(place)
            RedCell(centre: place, radius: radius * numbers.between(0.88, 1.1)).stain(&film, noise: noise, &numbers)
        }
        for _ in 0..<numbers.whole(0, 5) {
            let platelet = Platelet(
                centre: (Point(0.5, 0.5) + numbers.offset(0.52)) * unit, radius: numbers.between(0.015, 0.04) * unit)
            platelet.stain(&film, noise: noise, &numbers)
        }
        guard numbers.chance(0.3) else { return }
        let direction = Arithmetic.direction(turns: numbers.uniform())
        let form = numbers.pick(CellKind.allCases).form(&numbers)
        let place = cell.centre + direction * numbers.between(0.58, 0.72) * unit
        WhiteCell(form, at: place, nucleusArea: numbers.between(0.04, 0.11) * unit * unit, &numbers)
            .stain(&film, noise: noise, &numbers)
    }

    /// Light that is brighter on one side, and in some images the round edge of the field.
    private static func illuminate(_ canvas: inout Canvas, _ numbers: inout RandomNumbers) {
        let side = canvas.side
        let slope = Arithmetic.direction(turns: numbers.uniform()) * numbers.between(0, 0.3)
        let stop = Arithmetic.direction(turns: numbers.uniform()) * numbers.between(0.25, 0.6)
        let hasStop = numbers.chance(0.2)
        let dark = numbers.between(0.03, 0.2)
        canvas.multiply { x, y in
            let place = Point(Float(x) + 0.5, Float(y) + 0.5) / Float(side) - 0.5
            var factor = 1 + place.x * slope.x + place.y * slope.y
            if hasStop { factor *= 1 - (1 - dark) * Arithmetic.smoothStep(0.99, 1.03, (place - stop).length) }
            return Colour(factor, factor, factor)
        }
    }

    private static func camera(_ numbers: inout RandomNumbers) -> Camera {
        Camera(
            blur: numbers.chance(0.25) ? numbers.between(0.008, 0.015) : numbers.between(0.0015, 0.008),
            gain: Colour(1, 1, 1), noise: numbers.between(0.004, 0.035), vignette: numbers.between(0, 0.3))
    }
}
