import Testing

@testable import Backbone

@Suite struct BackboneTests {}
