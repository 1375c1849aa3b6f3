// The form of a catalogue for editors: JSON Schema, draft 2020-12. Its names are those of the reader (`Catalogue.names`); a test
// compares them. What the reader checks beyond it (names that must fit together) an editor can't know.

extension Catalogue {
  /// The schema.
  public static let schema = """
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "Catalogue of services",
      "type": "object",
      "additionalProperties": false,
      "required": ["organisation", "services"],
      "properties": {
        "organisation": {"type": "string", "minLength": 1},
        "partition": {"enum": ["aws", "aws-cn", "aws-us-gov"]},
        "regions": {"$ref": "#/$defs/regions"},
        "services": {"type": "array", "items": {"$ref": "#/$defs/service"}},
        "groups": {"type": "array", "items": {"$ref": "#/$defs/group"}},
        "assessed_policies": {"$ref": "#/$defs/texts", "description": "Patterns of what stands behind policy/ in ARNs."},
        "exempt_roles": {"$ref": "#/$defs/texts", "description": "ARNs of roles that the organisation's policies leave alone."},
        "protect_boundary": {"$ref": "#/$defs/flag"}
      },
      "$defs": {
        "texts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "regions": {"anyOf": [{"$ref": "#/$defs/region"}, {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/region"}}]},
        "region": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)+-[0-9]$"},
        "flag": {"enum": [true, false, "yes", "no"]},
        "day": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "service": {
          "type": "object",
          "additionalProperties": false,
          "required": ["id", "allowed"],
          "properties": {
            "id": {"type": "string", "pattern": "^[a-z0-9-]+$"},
            "name": {"type": "string"},
            "prefixes": {"$ref": "#/$defs/texts", "description": "IAM's prefixes; without: the id."},
            "assessed": {"$ref": "#/$defs/assessment"},
            "allowed": {"$ref": "#/$defs/flag"},
            "reason": {"type": "string"},
            "actions": {"$ref": "#/$defs/texts", "description": "Without: all of its prefixes."},
            "denied": {"$ref": "#/$defs/texts"},
            "regions": {"anyOf": [{"const": "global"}, {"$ref": "#/$defs/regions"}]},
            "types": {"$ref": "#/$defs/texts", "description": "Types of CloudFormation: AWS::S3::*."},
            "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
            "read": {"$ref": "#/$defs/texts", "description": "Actions that only look; without: Get*, List*, Describe*."},
            "operate": {"$ref": "#/$defs/texts", "description": "Actions that keep it running."}
          }
        },
        "assessment": {
          "type": "object",
          "additionalProperties": false,
          "required": ["on", "by"],
          "properties": {"on": {"$ref": "#/$defs/day"}, "by": {"type": "string"}, "until": {"$ref": "#/$defs/day"}}
        },
        "rule": {
          "type": "object",
          "additionalProperties": false,
          "minProperties": 1,
          "properties": {
            "rule": {"type": "string"},
            "file": {"type": "string"},
            "condition": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/condition"}]}
          }
        },
        "condition": {
          "type": "object",
          "additionalProperties": false,
          "required": ["en"],
          "properties": {"en": {"type": "string"}, "ja": {"type": "string"}}
        },
        "group": {
          "type": "object",
          "additionalProperties": false,
          "required": ["id", "access"],
          "properties": {
            "id": {"type": "string", "pattern": "^[A-Za-z0-9+=,.@_-]{1,64}$"},
            "purpose": {"type": "string"},
            "access": {"type": "array", "items": {"$ref": "#/$defs/access"}},
            "members": {"$ref": "#/$defs/texts"}
          }
        },
        "access": {
          "type": "object",
          "additionalProperties": false,
          "required": ["services", "level"],
          "properties": {
            "services": {"$ref": "#/$defs/texts"},
            "level": {"enum": ["read", "operate", "full"]}
          }
        }
      }
    }

    """
}
