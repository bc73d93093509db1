// swift-tools-version: 6.2
import PackageDescription

/// Release is Embedded Swift that cannot allocate: the compiler proves that the
/// core never touches the Swift heap. Debug is ordinary Swift, for tests and
/// sanitizers. Function sections with lld let unused runtime support go.
let coreSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableExperimentalFeature("Lifetimes"),
  .enableExperimentalFeature("Embedded", .when(configuration: .release)),
  .unsafeFlags(
    ["-no-allocations", "-Xfrontend", "-function-sections"],
    .when(configuration: .release)),
]

/// `-z nodelete`: a resolver thread of libcurl can outlive `dlclose`.
/// `-z defs`: a missing runtime symbol is a link error, not a crash at load.
let coreLinkerSettings: [LinkerSetting] = [
  .unsafeFlags(["-use-ld=lld"]),
  .unsafeFlags(
    [
      "-Xlinker", "-soname", "-Xlinker", "libprefop.so.1",
      "-Xlinker", "--version-script", "-Xlinker", "\(Context.packageDirectory)/Sources/Prefop/Packaging/prefop.map",
      "-Xlinker", "-z", "-Xlinker", "defs",
      "-Xlinker", "-z", "-Xlinker", "now",
      "-Xlinker", "-z", "-Xlinker", "nodelete",
      "-Xlinker", "--gc-sections",
      "-Xlinker", "--as-needed",
    ],
    .when(configuration: .release)),
]

let package = Package(
  name: "prefop",
  products: [
    .library(name: "prefop", type: .dynamic, targets: ["Prefop"])
  ],
  targets: [
    .systemLibrary(name: "CPrefop", path: "include"),
    .systemLibrary(name: "CLibcurl", pkgConfig: "libcurl"),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
    .target(name: "CPlatform"),
    .target(
      name: "Prefop",
      dependencies: ["CPrefop", "CLibcurl", "CCrypto", "CPlatform"],
      exclude: ["Packaging"],
      swiftSettings: coreSettings,
      linkerSettings: coreLinkerSettings),
    .testTarget(
      name: "PrefopTests",
      dependencies: ["Prefop"],
      swiftSettings: [.swiftLanguageMode(.v6)]),
  ]
)
