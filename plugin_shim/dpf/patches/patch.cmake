# Changes to DPF's sources, made at configure time in a copy of them. Each names the text that it replaces and fails the
# configure if that text is not there exactly once: then DPF is another one than these patches were written for.

function(segue_find_once text what where found)
  string(FIND "${text}" "${what}" first)
  string(FIND "${text}" "${what}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    if(first EQUAL -1)
      set(how "not at all")
    else()
      set(how "more than once")
    endif()
    message(FATAL_ERROR "${where}: the text to be patched is there ${how}, expected once:\n${what}\n"
      "Segue patches DPF 1.6 (Debian's dpf-source, upstream commit ${SEGUE_DPF_COMMIT}). "
      "Set SEGUE_DPF_SOURCE to a folder with that version, or adapt dpf/patches.")
  endif()
  set(${found} ${first} PARENT_SCOPE)
endfunction()

# Replaces `old` by `new` in a file of DPF.
function(segue_patch file old new)
  file(READ "${SEGUE_DPF_COPY}/${file}" text)
  segue_find_once("${text}" "${old}" "${file}" at)
  string(REPLACE "${old}" "${new}" text "${text}")
  file(WRITE "${SEGUE_DPF_COPY}/${file}" "${text}")
endfunction()

# Replaces all from `begin` to `end`, both included, by `new`.
function(segue_patch_range file begin end new)
  file(READ "${SEGUE_DPF_COPY}/${file}" text)
  segue_find_once("${text}" "${begin}" "${file}" from)
  segue_find_once("${text}" "${end}" "${file}" to)
  if(to LESS from)
    message(FATAL_ERROR "${file}: the end of the text to be patched stands before its beginning:\n${end}")
  endif()
  string(LENGTH "${end}" length)
  math(EXPR to "${to} + ${length}")
  string(SUBSTRING "${text}" 0 ${from} before)
  string(SUBSTRING "${text}" ${to} -1 after)
  file(WRITE "${SEGUE_DPF_COPY}/${file}" "${before}${new}${after}")
endfunction()
