import Testing

@testable import Estate

@Suite struct EstateTests {}
