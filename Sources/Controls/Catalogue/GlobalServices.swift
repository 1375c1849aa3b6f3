// Services without regions: their calls go to one place in the world, whatever the caller's region is, so that a limit on
// regions would shut them off. Source: AWS General Reference, "Service endpoints"; IAM User Guide, "Global condition keys",
// aws:RequestedRegion; Organizations User Guide, "Deny access to AWS based on the requested Region".

/// See the head of this file.
public enum GlobalServices {
  /// IAM's prefixes.
  public static let prefixes: Set<String> = [
    "account", "aws-marketplace", "aws-marketplace-management", "aws-portal", "billing", "budgets", "ce",
    "cloudfront",
    "consolidatedbilling", "cur", "freetier", "globalaccelerator", "health", "iam", "importexport",
    "invoicing",
    "networkmanager", "notifications", "organizations", "payments", "pricing", "route53", "route53domains",
    "shield", "sts",
    "support", "supportapp", "supportplans", "sustainability", "tax", "trustedadvisor", "waf",
  ]
}
