// Made-up company names in Japanese and English: two words of a place name and a line of business.
// The place words are composed so that no listed company bears the name; the pair (place, business) is used
// once, so that names are unique up to far more than 20,000 companies.

import MarketData

/// Names by number.
enum CompanyNames {
  /// A word in both scripts.
  typealias Word = (ja: String, en: String)

  static let first: [Word] = [
    ("霧", "Kiri"), ("霜", "Shimo"), ("露", "Tsuyu"), ("雫", "Shizuku"), ("茜", "Akane"), ("藍", "Ai"),
    ("楓", "Kaede"), ("椿", "Tsubaki"), ("柊", "Hiiragi"), ("梓", "Azusa"), ("蛍", "Hotaru"), ("鶫", "Tsugumi"),
    ("雲雀", "Hibari"), ("桔梗", "Kikyo"), ("萩", "Hagi"), ("葵", "Aoi"), ("菫", "Sumire"), ("蓮", "Hasu"),
    ("翡翠", "Hisui"), ("瑠璃", "Ruri"), ("琥珀", "Kohaku"), ("珊瑚", "Sango"), ("暁", "Akatsuki"),
    ("曙", "Akebono"), ("黄昏", "Tasogare"), ("朧", "Oboro"), ("霞", "Kasumi"), ("霙", "Mizore"),
    ("時雨", "Shigure"), ("木枯", "Kogarashi"), ("東風", "Kochi"), ("凪", "Nagi"), ("渚", "Nagisa"),
    ("汐", "Shio"), ("漣", "Sazanami"), ("澪", "Mio"), ("樫", "Kashi"), ("欅", "Keyaki"), ("楡", "Nire"),
    ("櫟", "Kunugi"), ("真心", "Magokoro"), ("誠実", "Seijitsu"), ("和楽", "Waraku"), ("祥雲", "Shoun"),
    ("紅花", "Benibana"), ("萌黄", "Moegi"), ("百舌", "Mozu"), ("鶺鴒", "Sekirei"),
  ]

  static let second: [Word] = [
    ("峰", "mine"), ("浦", "ura"), ("瀬", "se"), ("岬", "misaki"), ("丘", "oka"), ("泉", "izumi"),
    ("浜", "hama"), ("森", "mori"), ("坂", "zaka"), ("橋", "bashi"), ("江", "e"), ("里", "sato"),
    ("平", "daira"), ("淵", "buchi"), ("滝", "taki"), ("峠", "toge"), ("沼", "numa"), ("洲", "su"),
    ("磯", "iso"), ("畑", "hata"), ("園", "zono"), ("倉", "kura"), ("館", "date"), ("門", "kado"),
    ("潟", "gata"), ("嶺", "rei"), ("苑", "en"), ("台", "dai"),
  ]

  /// Lines of business with their sector (0 to 16).
  static let businesses: [(ja: String, en: String, sector: Int)] = [
    ("食品", "Foods", 0), ("フーズ", "Foods Service", 0), ("製菓", "Confectionery", 0), ("醸造", "Brewing", 0),
    ("石油", "Oil", 1), ("資源開発", "Resources", 1), ("建設", "Construction", 2), ("住宅", "Homes", 2),
    ("道路", "Road", 2), ("化学", "Chemical", 3), ("繊維", "Textile", 3), ("樹脂", "Plastics", 3),
    ("塗料", "Paint", 3), ("製薬", "Pharmaceutical", 4), ("医薬研究所", "Medicines Laboratory", 4),
    ("自動車部品", "Auto Parts", 5), ("車輛", "Rolling Stock", 5), ("モーター", "Motor", 5),
    ("製鋼", "Steel", 6), ("金属", "Metal", 6), ("電線", "Electric Wire", 6), ("工業", "Industries", 7),
    ("機械", "Machinery", 7), ("精機", "Precision", 7), ("重機", "Heavy Machinery", 7),
    ("電機", "Electric", 8), ("電子", "Electronics", 8), ("半導体", "Semiconductor", 8), ("計測", "Instruments", 8),
    ("光学", "Optical", 8), ("情報システム", "Information Systems", 9), ("ソフト", "Software", 9),
    ("通信", "Communications", 9), ("デジタル", "Digital", 9), ("電力", "Electric Power", 10), ("瓦斯", "Gas", 10),
    ("鉄道", "Railway", 11), ("海運", "Shipping", 11), ("物流", "Logistics", 11), ("商事", "Trading", 12),
    ("産業", "Enterprise", 12), ("百貨店", "Department Store", 13), ("ストア", "Stores", 13), ("薬局", "Drugstore", 13),
    ("銀行", "Bank", 14), ("証券", "Securities", 15), ("生命保険", "Life Insurance", 15), ("リース", "Leasing", 15),
    ("不動産", "Real Estate", 16), ("地所", "Estate", 16), ("都市開発", "Urban Development", 16),
  ]

  /// Number of sectors.
  static let sectorCount = 17

  /// Names and sectors of `count` companies, all different.
  static func draw(_ count: Int, random: inout RandomSource) -> [(name: LocalizedName, sector: Int)] {
    var places = Array(0..<first.count * second.count)
    random.shuffle(&places)
    return (0..<count).map { number in
      // A place comes again after all others, then with the next line of business: never the same pair.
      let place = places[number % places.count]
      let round = number / places.count
      let business = businesses[(place * 7 + round * 10) % businesses.count]
      let head = first[place / second.count]
      let tail = second[place % second.count]
      let holding = random.chance(0.12)
      return (
        LocalizedName(
          ja: head.ja + tail.ja + business.ja + (holding ? "ホールディングス" : ""),
          en: head.en + tail.en + " " + business.en + (holding ? " Holdings" : "")),
        business.sector
      )
    }
  }
}
