# libprefop in Ruby, with Fiddle of the standard library. Structs and functions are those that prefop.h
# declares between its ffi marks (PREFOP_HEADER names it, if it is not where `make install` puts it).
require "fiddle/import"

module Prefop
  extend Fiddle::Importer

  begin
    dlload ENV.fetch("PREFOP_LIBRARY", "libprefop.so.1")
    header = File.read(ENV.fetch("PREFOP_HEADER", "/usr/local/include/prefop.h"), encoding: "UTF-8")
  rescue Fiddle::DLError, SystemCallError => problem
    warn problem.message
    exit 2
  end
  declarations = header[%r{/\* ffi: begin \*/(.*)/\* ffi: end \*/}m, 1].gsub(%r{/\*.*?\*/}m, "")

  typealias "prefop_status", "int32_t"
  STRUCTS = declarations.scan(/typedef struct (\w+) \{(.*?)\}/m).to_h do |name, members|
    # Fiddle knows no array of constant pointers.
    [name, struct(members.gsub("*const ", "*").split(";").map(&:strip).reject(&:empty?))]
  end
  declarations.scan(/^\w[\w ]*\*?prefop_\w+\([^;]*\);/m) { |function| extern(function.tr("\n", " ")) }

  class Error < StandardError; end

  # A struct that knows its size; the rest is clear.
  def self.sized(name)
    STRUCTS.fetch(name).malloc(Fiddle::RUBY_FREE).tap do |struct|
      struct.to_ptr[0, struct.to_ptr.size] = "\0" * struct.to_ptr.size
      struct.struct_size = struct.to_ptr.size
    end
  end

  # What a call hands out through its `**` argument, which the block passes on, as it does the error.
  def self.handed_out(error = sized("prefop_error"))
    out = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
    out[0, out.size] = "\0" * out.size
    raise Error, text(error.message) unless yield(out, error).zero?
    out.ptr
  end

  # The text in an array of char.
  def self.text(array) = array.pack("c*")[/\A[^\0]*/n].force_encoding("UTF-8")

  # The pointers in an array of them.
  def self.pointers(array, count) = Array.new(count) { |index| (array + index * Fiddle::SIZEOF_VOIDP).ptr }

  # Of a task or an item.
  def self.code_name(struct) = prefop_code_name(struct.code).to_s

  # To be freed with prefop_client_free. Options go by the names of prefop_client_options; nil: the default.
  def self.client(error = sized("prefop_error"), **options)
    given = sized("prefop_client_options")
    kept = options.compact.transform_values { |value| value.is_a?(String) ? Fiddle::Pointer[value] : value }
    kept.each { |name, value| given[name.to_s] = value }
    handed_out(error) { |out| prefop_client_new(given, out, error) }
  end
end
