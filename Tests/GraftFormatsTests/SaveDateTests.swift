import Foundation
import Testing

@testable import GraftFormats

/// The date that files carry, and files without a date of their own.
@Suite struct SaveDateTests {
    @Test func theEnvironmentsSecondIsWrittenInUniversalTime() throws {
        // 2021-03-04 05:06:07 UTC.
        let date = try SaveDate(environment: ["SOURCE_DATE_EPOCH": "1614834367", "TZ": "Asia/Tokyo"])
        #expect(date.kerasText == "2021-03-04@05:06:07")
        #expect(date.dos.date == (2021 - 1980) << 9 | 3 << 5 | 4)
        #expect(date.dos.time == 5 << 11 | 6 << 5 | 3)
        #expect(date == SaveDate(secondsSince1970: 1_614_834_367))
    }

    @Test func zipArchivesBeginIn1980() {
        let date = SaveDate(secondsSince1970: 0)
        #expect(date.kerasText == "1970-01-01@00:00:00")
        #expect(date.dos.date == 1 << 5 | 1 && date.dos.time == 0)
    }

    @Test(arguments: ["", "tomorrow", "-1", "1e9", "99999999999999999999", "4354819200"])
    func whatIsNoDateIsRefused(_ text: String) {
        let error = #expect(throws: GraftError.self) { try SaveDate(environment: ["SOURCE_DATE_EPOCH": text]) }
        #expect(error?.code == .argument)
        #expect(error?.message.hasPrefix("SOURCE_DATE_EPOCH is \"\(text)\"; it needs the seconds since 1970") == true)
    }

    @Test func withoutItTheDateIsNow() throws {
        let before = Calendar.current.component(.year, from: Date())
        let date = try SaveDate(environment: [:])
        let after = Calendar.current.component(.year, from: Date())
        let years = try [before, after].map { try #require(UInt16(exactly: $0 - 1980)) }
        #expect((years[0]...years[1]).contains(date.dos.date >> 9))
    }

    /// Equal models are equal bytes, and the date is all that differs at another second.
    @Test func equalModelsOfOneDateAreEqualFiles() throws {
        try withTemporaryFolder { folder in
            func bytes(_ name: String, at second: Int) throws -> [UInt8] {
                let model = try TestModels.model("nested")
                TestModels.fill(model)
                let date = SaveDate(secondsSince1970: second)
                let path = "\(folder)/\(name)"
                try ZipWriter.write(KerasArchive.members(of: model, date: date), to: path, date: date)
                return try Array(Data(contentsOf: URL(fileURLWithPath: path)))
            }
            let first = try bytes("a.keras", at: 1_614_834_367)
            #expect(try bytes("b.keras", at: 1_614_834_367) == first)
            #expect(try bytes("c.keras", at: 1_714_834_367) != first)
            // Local headers of all members: signature, then time and date at byte 10.
            let header = first.firstRange(of: [0x50, 0x4B, 3, 4])?.lowerBound ?? 0
            let stamp = SaveDate(secondsSince1970: 1_614_834_367).dos
            #expect(first[header + 10] == UInt8(stamp.time & 255) && first[header + 11] == UInt8(stamp.time >> 8))
            #expect(first[header + 12] == UInt8(stamp.date & 255) && first[header + 13] == UInt8(stamp.date >> 8))
        }
    }
}
